"""The kinds of messages there are. The outbox knows no app: each app registers its own when it is ready."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from clinic.outbox.models import Message

SHORTEST_LEAD_MINUTES = 15  # before a visit; less would be over by the time it is read


@dataclass(frozen=True)
class Email:
    """What is to be sent, made at the moment of sending.

    `attachments` are (file name, bytes, type); `calendar` is an iCalendar object that carries a METHOD, the one part that
    mail programs act on. A POST to `unsubscribe_url` ends what this mail is part of;
    what every kind that is not about a visit is part of has its link already.
    """

    to: str
    subject: str
    text: str
    html: str
    attachments: tuple[tuple[str, bytes, str], ...] = ()
    calendar: bytes | None = None
    unsubscribe_url: str = ""


class Sample(StrEnum):
    """For whom a preview is made."""

    EVERYDAY = "an everyday reader"
    WORST = "the worst case: longest names, and characters that break things"


class Timing(StrEnum):
    """What a rule's minutes are counted from; what goes at once has none."""

    AT_ONCE = "at once"
    BEFORE = "before the visit"
    AFTER = "after the visit"


@dataclass(frozen=True)
class Words:
    """The subject and the opening of a mail, with {placeholders}; staff may write their own in a `MessageRule`."""

    subject: str
    text: str


@dataclass(frozen=True)
class Reworded:
    """What staff may change of a kind, and from what it starts.

    `placeholders` says what each one holds; `preview` makes the mail of some words for a sample reader, and saves nothing.
    """

    title: str
    timing: Timing
    words: Words
    placeholders: Mapping[str, str]
    preview: Callable[[Words, Sample], Email]
    minutes: int = 0
    samples: Callable[[Sample], Mapping[str, object]] | None = None  # values for the placeholders of a text
    text_message: str = ""  # what goes beside the mail to who agreed to texts; empty for none


@dataclass(frozen=True)
class MessageKind:
    """What the outbox must know of a kind: rendering, relevance check (None = send), delivery options.

    `reworded` is what staff may change, if anything. `is_about_visit` is False for what a reader may unsubscribe from.
    A reminder (`is_reminder`) by mail is sent in quiet hours rather than not at all. News (`is_news`) of what the clinic
    changed goes by text beyond the caps, and by mail besides: the mail carries the links and the calendar.
    """

    name: str
    render: Callable[[Message, datetime], Email]
    still_wanted: Callable[[Message, datetime], str | None]
    respects_quiet_hours: bool
    reworded: Reworded | None = None
    label: str = ""  # what staff call it, where it has no `reworded` that says so
    is_about_visit: bool = True
    is_reminder: bool = False
    is_news: bool = False
    is_texted_without_mail: bool = False  # its text goes only to who has no e-mail address
    is_missed_by_staff: bool = False  # not to a patient, yet the clinic is told when it fails
    text_values: Callable[[Message, datetime], Mapping[str, object]] | None = None  # fill a text's placeholders

    @property
    def title(self) -> str:
        """What staff call it."""
        return self.reworded.title if self.reworded else self.label or self.name.replace("_", " ").capitalize()


class KindUnknown(LookupError):
    """No app has registered a kind of this name."""


_kinds: dict[str, MessageKind] = {}
_scopes: list[Callable[[], list[tuple[str, str]]]] = []


def register_kind(kind: MessageKind) -> None:
    """Make `kind` known. For AppConfig.ready; registering the same name again replaces it."""
    _kinds[kind.name] = kind


def find_kind(name: str) -> MessageKind:
    """The kind called `name`. Raises KindUnknown."""
    try:
        return _kinds[name]
    except KeyError:
        raise KindUnknown(f"no message kind is called {name!r}") from None


def kind_title(name: str) -> str:
    """What staff call the kind `name`, also one that no app registers any longer."""
    return _kinds[name].title if name in _kinds else name.replace("_", " ").capitalize()


def changeable_kinds() -> list[MessageKind]:
    """Those that staff may reword and time, as they follow one another around a visit."""
    order = list(Timing)
    kinds = [kind for kind in _kinds.values() if kind.reworded]
    return sorted(kinds, key=lambda kind: (order.index(kind.reworded.timing), -kind.reworded.minutes, kind.name))


def register_scopes(read: Callable[[], list[tuple[str, str]]]) -> None:
    """`read` gives (slug, name) of everything that may have rules of its own. For AppConfig.ready."""
    _scopes[:] = [read]


def known_scopes() -> list[tuple[str, str]]:
    """What may have rules of its own, as (slug, name)."""
    return [scope for read in _scopes for scope in read()]


_readers: list[Callable[[str, str, datetime], str]] = []


def register_reply_reader(read: Callable[[str, str, datetime], str]) -> None:
    """`read(phone, answer, now)` acts on "yes" or "cannot" from a number and returns what to say, or "" if it did not act.
    For AppConfig.ready."""
    _readers[:] = [read]


def read_reply(phone: str, answer: str, now: datetime) -> str:
    """What the app that asked says to "yes" or "cannot" from `phone`; empty if none asked."""
    return next((read(phone, answer, now) for read in _readers), "")


_finders: list[Callable[[str], list[UUID]]] = []


def register_subjects(find: Callable[[str], list[UUID]]) -> None:
    """`find(words)` gives the ids of the rows called so, such as visits by reference. For AppConfig.ready."""
    _finders[:] = [find]


def find_subjects(words: str) -> list[UUID]:
    """The `subject_id`s that messages about what is called `words` have; empty if nothing is."""
    return [subject for find in _finders for subject in find(words)]
