"""Changes of the clinic's contact details. Other rooms register callbacks that update items sent with the old ones."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from clinic.practice.models import Clinic

ADDRESS = ("street", "city", "region", "postal_code")
CONTACT = ("name", "phone")
TOLD = (*CONTACT, *ADDRESS)


@dataclass(frozen=True)
class Told:
    """The callbacks of a room that count and update the items it has sent.

    `count(before, after, now)` returns the number of outdated items, and `count_to_call` the number of these whose
    patient no message can reach. `update(before, after, is_told, now)` updates them, and notifies their patients if
    `is_told`.
    """

    count: Callable[[Clinic, Clinic, datetime], int]
    count_to_call: Callable[[Clinic, Clinic, datetime], int]
    update: Callable[[Clinic, Clinic, bool, datetime], None]


_rooms: dict[str, Told] = {}


def register_told(name: str, told: Told) -> None:
    """Register a room's callbacks, replacing those of the same name. For AppConfig.ready."""
    _rooms[name] = told


def count_outdated(before: Clinic, after: Clinic, *, now: datetime) -> int:
    """Return the number of upcoming items sent with details that change from `before` to `after`."""
    return sum(told.count(before, after, now) for told in _rooms.values())


def count_patients_to_call(before: Clinic, after: Clinic, *, now: datetime) -> int:
    """Return the number of outdated items whose patient no message can reach."""
    return sum(told.count_to_call(before, after, now) for told in _rooms.values())


def update_outdated(before: Clinic, after: Clinic, *, is_told: bool, now: datetime) -> None:
    """Update outdated items in the caller's transaction, and notify the patients if `is_told`."""
    for told in _rooms.values():
        told.update(before, after, is_told, now)


def changed_fields(before: Clinic, after: Clinic) -> set[str]:
    """Return the fields of TOLD that differ."""
    return {name for name in TOLD if getattr(before, name) != getattr(after, name)}


def digest_of(clinic: Clinic, fields: Iterable[str] = TOLD) -> str:
    """Return a digest of the contact details, for comparison."""
    return hashlib.sha256("\0".join(getattr(clinic, name) for name in fields).encode()).hexdigest()[:16]
