"""Message kinds and their registry. Each room registers its folder of kinds, since the outbox imports no app."""

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from importlib import import_module
from types import ModuleType

from clinic.outbox.models import Message

SHORTEST_LEAD_MINUTES = 15  # before a visit; less would be too late by the time it is read


@dataclass(frozen=True)
class Email:
    """A rendered mail.

    `calendar` is an iCalendar object with a METHOD, the one part that mail programs act on. A POST to `unsubscribe_url`
    unsubscribes from this kind of mail; kinds with `is_about_visit` False get a link for all of them without it.
    """

    to: str
    subject: str
    text: str
    html: str
    calendar: bytes | None = None
    unsubscribe_url: str = ""


class Sample(StrEnum):
    """The reader of a preview."""

    EVERYDAY = "an everyday reader"
    WORST = "the worst case: longest names, and characters that break things"


class Timing(StrEnum):
    """What `minutes` are counted from; 0 for a kind that is sent at once."""

    AT_ONCE = "at once"
    BEFORE = "before the visit"
    AFTER = "after the visit"


@dataclass(frozen=True)
class TemplateText:
    """The subject and the opening of a mail, with {placeholders}. A `MessageRule` of the clinic replaces it."""

    subject: str
    text: str


def _no_samples(sample: Sample) -> Mapping[str, object]:
    return {}


def _no_values(message: Message, now: datetime) -> Mapping[str, object]:
    return {}


@dataclass(frozen=True, kw_only=True)
class MessageKind:
    """Everything about one kind of message, as the `KIND` of a file in a room's `message_kinds` folder.

    Staff can edit the text, time and switch off a kind that has a `template`. The text of other kinds is in templates/emails.
    """

    name: str  # stored in the database: never rename
    title: str  # what staff call it
    render: Callable[[Message, TemplateText | None, datetime], Email]  # with the template in force, if any
    relevance: Callable[[Message, datetime], str | None]  # the reason not to send; None = send

    # Delivery
    respects_quiet_hours: bool
    is_about_visit: bool = True  # False: readers may unsubscribe from it
    is_reminder: bool = False  # the email is sent in quiet hours if it would be too late after them
    is_news: bool = False  # the clinic changed something: texted beyond the caps, and always emailed too
    is_texted_without_mail: bool = False  # texted only to patients without an email address
    is_missed_by_staff: bool = False  # not to a patient; the clinic is alerted when it fails

    # What staff can change
    template: TemplateText | None = None
    timing: Timing = Timing.AT_ONCE
    minutes: int = 0
    placeholders: Mapping[str, str] = field(default_factory=dict)  # name -> what it holds, for staff
    frame: str = ""  # the folder in templates/emails whose body wraps the opening
    samples: Callable[[Sample], Mapping[str, object]] = _no_samples  # a context for previews

    # The text message beside the mail, for patients who agreed to texts; empty for none
    text_message: str = ""
    text_values: Callable[[Message, datetime], Mapping[str, object]] = _no_values  # for its placeholders

    def sample_values(self, sample: Sample) -> Mapping[str, object]:
        """Return the context of a preview: values for all placeholders, the clinic, buttons."""
        return self.samples(sample)


class KindUnknown(LookupError):
    """No app has registered a kind of this name."""


_kinds: dict[str, MessageKind] = {}


def register_kinds(package: ModuleType) -> None:
    """Register the `KIND` of every module in `package` and its folders. For AppConfig.ready."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.ispkg:
            register_kind(import_module(module.name).KIND)


def register_kind(kind: MessageKind) -> None:
    """Register `kind`, replacing another one of its name."""
    _kinds[kind.name] = kind


def find_kind(name: str) -> MessageKind:
    """Return the kind called `name`. Raises KindUnknown."""
    try:
        return _kinds[name]
    except KeyError:
        raise KindUnknown(f"no message kind is called {name!r}") from None


def kind_title(name: str) -> str:
    """Return the title of the kind `name` for staff, also of one that is no longer registered."""
    return _kinds[name].title if name in _kinds else name.replace("_", " ").capitalize()


def all_kinds() -> list[MessageKind]:
    """Return every registered kind, in the order in which they go around a visit."""
    order = list(Timing)
    return sorted(_kinds.values(), key=lambda kind: (order.index(kind.timing), -kind.minutes, kind.name))


def changeable_kinds() -> list[MessageKind]:
    """Kinds that staff may reword, time and switch off."""
    return [kind for kind in all_kinds() if kind.template]
