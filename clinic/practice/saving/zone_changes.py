"""What a change of the clinic's time zone moves on the clock on its wall. Other rooms register what they have dated."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from clinic.practice.models import User
from clinic.practice.values.dates import format_instant


@dataclass(frozen=True)
class Dated:
    """Something that lies ahead at an instant, in words for staff."""

    starts_at: datetime
    what: str


@dataclass(frozen=True)
class Moved:
    """One thing whose clock time changes, with both clock times."""

    what: str
    before: str
    after: str


_readers: dict[str, Callable[[User, datetime], list[Dated]]] = {}


def register_dated(name: str, read: Callable[[User, datetime], list[Dated]]) -> None:
    """`read(by, now)` lists what lies ahead, in no more detail than `by` may see. For AppConfig.ready; the same name replaces."""
    _readers[name] = read


def list_moved(*, before: ZoneInfo, after: ZoneInfo, by: User, now: datetime) -> list[Moved]:
    """What stands ahead and gets another clock time when the clinic's zone changes from `before` to `after`, soonest first.

    The instants stay. What shows the same time in both zones on its day is left out.
    """
    ahead = sorted((dated for read in _readers.values() for dated in read(by, now)), key=lambda one: one.starts_at)
    return [
        Moved(one.what, *(format_instant(one.starts_at, zone, now=now) for zone in (before, after)))
        for one in ahead
        if one.starts_at.astimezone(before).utcoffset() != one.starts_at.astimezone(after).utcoffset()
    ]
