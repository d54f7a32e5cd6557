"""Preview a change of the clinic's time zone. Other rooms register callbacks that list their upcoming items."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from clinic.practice.models import User
from clinic.practice.values.dates import format_instant


@dataclass(frozen=True)
class Dated:
    """An upcoming item, with a description for staff."""

    starts_at: datetime
    what: str


@dataclass(frozen=True)
class Moved:
    """An upcoming item whose clock time changes, with both clock times."""

    what: str
    before: str
    after: str


_readers: dict[str, Callable[[User, datetime], list[Dated]]] = {}


def register_dated(name: str, read: Callable[[User, datetime], list[Dated]]) -> None:
    """Register `read(by, now)`, which lists the upcoming items that `by` may view. For AppConfig.ready.

    Replaces a callback of the same name.
    """
    _readers[name] = read


def list_moved(*, before: ZoneInfo, after: ZoneInfo, by: User, now: datetime) -> list[Moved]:
    """Return the upcoming items whose clock time changes with the zone, soonest first.

    Their instants do not change. Items with the same clock time in both zones are omitted.
    """
    ahead = sorted((dated for read in _readers.values() for dated in read(by, now)), key=lambda one: one.starts_at)
    return [
        Moved(one.what, *(format_instant(one.starts_at, zone, now=now) for zone in (before, after)))
        for one in ahead
        if one.starts_at.astimezone(before).utcoffset() != one.starts_at.astimezone(after).utcoffset()
    ]
