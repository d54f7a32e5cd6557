"""What patients were told of the clinic and would find changed: its name, address and phone. Other rooms register what
they have sent that holds these."""

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
    """How a room counts and updates what it has sent.

    `count(before, after, now)` is how many things a change makes wrong, `count_to_call` of how many no message can tell
    the patient; `update(before, after, is_told, now)` puts them right, and tells their patients if `is_told`.
    """

    count: Callable[[Clinic, Clinic, datetime], int]
    count_to_call: Callable[[Clinic, Clinic, datetime], int]
    update: Callable[[Clinic, Clinic, bool, datetime], None]


_rooms: dict[str, Told] = {}


def register_told(name: str, told: Told) -> None:
    """Make a room's part known. For AppConfig.ready; the same name replaces."""
    _rooms[name] = told


def count_outdated(before: Clinic, after: Clinic, *, now: datetime) -> int:
    """How many things that lie ahead were sent with what changes from `before` to `after`."""
    return sum(told.count(before, after, now) for told in _rooms.values())


def count_patients_to_call(before: Clinic, after: Clinic, *, now: datetime) -> int:
    """Of how many of these no message can tell the patient."""
    return sum(told.count_to_call(before, after, now) for told in _rooms.values())


def update_outdated(before: Clinic, after: Clinic, *, is_told: bool, now: datetime) -> None:
    """Put them right in the caller's transaction; tell the patients if `is_told`."""
    for told in _rooms.values():
        told.update(before, after, is_told, now)


def changed_fields(before: Clinic, after: Clinic) -> set[str]:
    """Which of `TOLD` differ."""
    return {name for name in TOLD if getattr(before, name) != getattr(after, name)}


def digest_of(clinic: Clinic, fields: Iterable[str] = TOLD) -> str:
    """Short for what patients are told, to see whether it is the same as before."""
    return hashlib.sha256("\0".join(getattr(clinic, name) for name in fields).encode()).hexdigest()[:16]
