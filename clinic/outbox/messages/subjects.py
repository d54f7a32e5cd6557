"""Registry of callbacks of the apps whose rows messages are about."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class Subjects:
    """The callbacks of one app."""

    scopes: Callable[[], list[tuple[str, str]]]  # (slug, name) of everything that may have message rules of its own
    find: Callable[[str], list[UUID]]  # IDs of the rows with this name, such as visits by reference
    read_reply: Callable[[str, str, datetime], str]  # (phone, "yes" or "cannot", now): act, return the reply or ""


_registered: list[Subjects] = []


def register_subjects(subjects: Subjects) -> None:
    """Register the callbacks of an app. For AppConfig.ready."""
    _registered.append(subjects)


def known_scopes() -> list[tuple[str, str]]:
    """Return (slug, name) of everything that may have message rules of its own."""
    return [scope for subjects in _registered for scope in subjects.scopes()]


def find_subjects(text: str) -> list[UUID]:
    """Return the `subject_id`s of messages about the rows named `text`; empty if there are none."""
    return [subject for subjects in _registered for subject in subjects.find(text)]


def read_reply(phone: str, answer: str, now: datetime) -> str:
    """Act on `answer` ("yes" or "cannot") from `phone`. Return the text to send back; empty if no app acted on it."""
    return next(filter(None, (subjects.read_reply(phone, answer, now) for subjects in _registered)), "")
