"""The kinds of messages there are. The outbox knows no app: each app registers its own when it is ready."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from .models import Message


@dataclass(frozen=True)
class Email:
    """What is to be sent, made at the moment of sending.

    `attachments` are (file name, bytes, type); `calendar` is an iCalendar object that carries a METHOD, which goes in
    both as a part that mail programs act on and as a file.
    """

    to: str
    subject: str
    text: str
    html: str
    attachments: tuple[tuple[str, bytes, str], ...] = ()
    calendar: bytes | None = None


@dataclass(frozen=True)
class MessageKind:
    """What the outbox must know of a kind: its words, whether it is still wanted (None) or why not, its manners."""

    name: str
    render: Callable[[Message, datetime], Email]
    still_wanted: Callable[[Message, datetime], str | None]
    respects_quiet_hours: bool


class KindUnknown(LookupError):
    """No app has registered a kind of this name."""


_kinds: dict[str, MessageKind] = {}


def register_kind(kind: MessageKind) -> None:
    """Make `kind` known. For AppConfig.ready; registering the same name again replaces it."""
    _kinds[kind.name] = kind


def find_kind(name: str) -> MessageKind:
    """The kind called `name`. Raises KindUnknown."""
    try:
        return _kinds[name]
    except KeyError:
        raise KindUnknown(f"no message kind is called {name!r}") from None
