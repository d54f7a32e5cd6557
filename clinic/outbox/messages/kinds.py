"""Message kinds and their registry. Each app registers its own kinds, because the outbox imports no other app."""

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from importlib import import_module
from types import ModuleType

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from clinic.outbox.models import Message
from clinic.practice.models import User

SHORTEST_LEAD_MINUTES = 15  # before a visit; a later message would be read too late


@dataclass(frozen=True)
class Email:
    """A rendered email.

    `calendar` is an iCalendar object with a METHOD; mail clients ignore one without it. A POST to `unsubscribe_url`
    unsubscribes from this kind of email. Kinds with `is_about_visit=False` do not need it, because sending adds a link
    that unsubscribes from all such kinds.
    """

    to: str
    subject: str
    text: str
    html: str
    calendar: bytes | None = None
    unsubscribe_url: str = ""


class Sample(StrEnum):
    """The sample reader of a preview."""

    EVERYDAY = "an everyday reader"
    WORST = "the worst case: longest names, and characters that break things"


class Timing(StrEnum):
    """When a kind is sent: at once (`minutes` is 0), or `minutes` before or after the visit."""

    AT_ONCE = "at once"
    BEFORE = "before the visit"
    AFTER = "after the visit"


@dataclass(frozen=True)
class TemplateText:
    """The subject and opening of an email, with {placeholders}. A `MessageRule` overrides the default of a kind."""

    subject: str
    text: str


def _no_samples(sample: Sample) -> Mapping[str, object]:
    return {}


def _no_values(message: Message, now: datetime) -> Mapping[str, object]:
    return {}


@dataclass(frozen=True, kw_only=True)
class MessageKind:
    """One kind of message: the `KIND` of a module in the `message_kinds` folder of an app.

    If a kind has a `template`, staff can edit its text and timing, and switch it off. The text of other kinds is in
    templates/emails.
    """

    name: str  # stored in the database: never rename
    title: str  # for staff
    render: Callable[[Message, TemplateText | None, datetime], Email]  # (message, template in force if any, now)
    relevance: Callable[[Message, datetime], str | None]  # the reason not to send; None = send

    # Delivery
    respects_quiet_hours: bool
    is_about_visit: bool = True  # False: readers may unsubscribe from it
    is_reminder: bool = False  # True: the email is sent during quiet hours if it would be too late after them
    is_news: bool = False  # about a change of a visit: its text may exceed the caps and never replaces its email
    is_texted_without_mail: bool = False  # texted only to patients without an email address
    is_missed_by_staff: bool = False  # a message to staff; the clinic is alerted if it fails

    # Staff without this permission ("app.act_model") do not see that such a message exists; empty for none
    permission: str = ""

    # What staff can change
    template: TemplateText | None = None
    timing: Timing = Timing.AT_ONCE
    minutes: int = 0
    placeholders: Mapping[str, str] = field(default_factory=dict)  # name -> its meaning, for staff
    frame: str = ""  # the folder in templates/emails whose body wraps the opening
    samples: Callable[[Sample], Mapping[str, object]] = _no_samples  # the context of a preview

    # The text message that accompanies the email, for patients who agreed to texts; empty for none
    text_message: str = ""
    text_values: Callable[[Message, datetime], Mapping[str, object]] = _no_values  # the values of its placeholders

    def sample_values(self, sample: Sample) -> Mapping[str, object]:
        """Return the context of a preview: the clinic, the buttons, and a value for every placeholder."""
        return self.samples(sample)


class KindUnknown(LookupError):
    """No app has registered a kind of this name."""


_kinds: dict[str, MessageKind] = {}


def register_kinds(package: ModuleType) -> None:
    """Register the `KIND` of every module in `package` and its subpackages. For AppConfig.ready."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.ispkg:
            register_kind(import_module(module.name).KIND)


def register_kind(kind: MessageKind) -> None:
    """Register `kind`, replacing any kind with the same name."""
    _kinds[kind.name] = kind


def find_kind(name: str) -> MessageKind:
    """Return the kind called `name`. Raises KindUnknown."""
    try:
        return _kinds[name]
    except KeyError:
        raise KindUnknown(f"no message kind is called {name!r}") from None


def kind_title(name: str) -> str:
    """Return the title of the kind `name` for staff. If it is no longer registered, make one from the name."""
    return _kinds[name].title if name in _kinds else name.replace("_", " ").capitalize()


def all_kinds() -> list[MessageKind]:
    """Return every registered kind, ordered by timing, then by minutes (most first), then by name."""
    order = list(Timing)
    return sorted(_kinds.values(), key=lambda kind: (order.index(kind.timing), -kind.minutes, kind.name))


def kinds_hidden_from(user: AbstractBaseUser | AnonymousUser) -> list[str]:
    """Return the names of the kinds whose messages `user` may not see in the admin."""
    return [
        name
        for name, kind in _kinds.items()
        if kind.permission and not (isinstance(user, User) and user.has_perm(kind.permission))
    ]


def changeable_kinds() -> list[MessageKind]:
    """Return the kinds that staff can edit and switch off."""
    return [kind for kind in all_kinds() if kind.template]
