"""Times that staff can book: those that patients can book, and open times that only staff may book, with the rules.

Three queries for any number of days, therapists and visits. Instants are in UTC; days are the clinic's.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import groupby
from typing import Any
from uuid import UUID

from booking.models import Service
from booking.schedule.errors import NotOfferedBecause as Because
from booking.schedule.local_time import LocalTime, clinic_time
from booking.schedule.rules import BookableTime, bookable_time
from booking.schedule.schedules import Schedule, read_schedules
from booking.time.caps import starts_under_caps
from booking.time.day_parts import PartOfDay
from booking.time.intervals import Interval, offered_starts
from booking.time.opening_hours import day_interval, days_touching
from clinic.practice.models import Clinic, Therapist

NEXT = 20  # times that a search lists
LEAST_DAYS = 28  # searched, even if the horizon ends sooner
NEAR = timedelta(days=14)  # before and after a time that is taken
MOST_NEAR = 6


@dataclass(frozen=True)
class OpenSlot:
    """A time at which a therapist is open and free. `broken` are the rules for which patients are not offered it."""

    time: LocalTime
    therapist: Therapist
    broken: tuple[Because, ...] = ()

    @property
    def starts_at(self) -> datetime:
        return self.time.instant


@dataclass(frozen=True)
class OpenTime:
    """A start time, and its slots in the display order of their therapists."""

    time: LocalTime
    slots: list[OpenSlot]

    @property
    def starts_at(self) -> datetime:
        return self.time.instant


@dataclass(frozen=True)
class OpenTimes:
    """The open slots of `service` in a stretch of time, sorted by time and by the display order of the therapists."""

    slots: list[OpenSlot]

    @cached_property
    def times(self) -> list[OpenTime]:
        """The slots by start time."""
        return [OpenTime(group[0].time, group) for group in _grouped(self.slots, lambda slot: slot.starts_at)]

    def of(self, therapist: Therapist | None) -> "OpenTimes":
        """Return the slots of one therapist; all for None."""
        return self if therapist is None else OpenTimes([slot for slot in self.slots if slot.therapist == therapist])

    def on(self, day: date) -> "OpenTimes":
        """Return the slots that start on `day`."""
        return OpenTimes([slot for slot in self.slots if slot.time.local.date() == day])

    def first(self, limit: int = NEXT) -> list[OpenTime]:
        """Return the first `limit` start times."""
        return self.times[:limit]

    def nearest(self, instant: datetime, *, limit: int = MOST_NEAR) -> list[OpenTime]:
        """Return the `limit` start times nearest to `instant`, sorted."""
        found = sorted(self.times, key=lambda one: abs(one.starts_at - instant))[:limit]
        return sorted(found, key=lambda one: one.starts_at)


def days_of(times: list[OpenTime]) -> list[tuple[str, list[OpenTime]]]:
    """Return sorted `times` grouped by day, each with text like "Tuesday, December 1"."""
    return [(group[0].time.day, group) for group in _grouped(times, lambda one: one.time.local.date())]


def read_open_times(
    *,
    service: Service,
    stretch: Interval,
    now: datetime,
    clinic: Clinic,
    therapists: Collection[UUID] = (),
    part: PartOfDay | None = None,
) -> OpenTimes:
    """Return the times from `now` on in `stretch` at which staff can book `service`.

    Of all its active therapists, or of those among `therapists` (keys), and only in `part` of the day. A time is
    included if it is open and free and under the service's caps, even by phone only, reserved, too soon or too far
    ahead for patients; `OpenSlot.broken` has these rules. The second of two equal local times is left out, because
    forms cannot name it.
    """
    first_day, days = days_touching(stretch, clinic.zone)
    schedules = read_schedules(first_day=first_day, days=days, now=now, clinic=clinic, service=service)
    window, found = bookable_time(service, clinic=clinic, now=now), []
    earliest = max(stretch.start, now)
    for place, schedule in enumerate(schedules):
        if therapists and schedule.therapist.pk not in therapists:
            continue
        open_starts = _starts(schedule, schedule.all_openings, service, earliest, stretch.end)
        online = set(_starts(schedule, schedule.openings, service, earliest, stretch.end))
        for start in starts_under_caps(open_starts, taken=schedule.counted, caps=service.caps, zone=clinic.zone):
            time = clinic_time(start, clinic)
            if time.local.fold or (part and not part.contains(time.local)):
                continue
            broken = _broken(service, start, window, is_online=start in online)
            found.append((start, place, OpenSlot(time, schedule.therapist, broken)))
    return OpenTimes([slot for *_, slot in sorted(found, key=lambda one: one[:2])])


def search_stretch(
    service: Service, *, first_day: date | None, after: datetime | None = None, now: datetime, clinic: Clinic
) -> Interval:
    """Return the stretch of a search: from `first_day`, after the instant `after`, to the horizon of the service.

    It has at least LEAST_DAYS days, so that staff also find times beyond the horizon.
    """
    today = now.astimezone(clinic.zone).date()
    first_day = max(first_day or today, today)
    least = day_interval(first_day, LEAST_DAYS, clinic.zone)
    start = least.start if after is None else max(least.start, after + timedelta(minutes=1))
    latest = max(least.end, bookable_time(service, clinic=clinic, now=now).latest)
    return Interval(start, max(latest, start + timedelta(days=LEAST_DAYS)))


def stretch_around(instant: datetime | None, *, now: datetime, clinic: Clinic) -> Interval:
    """Return the days from NEAR before `instant` (None: now) to LEAST_DAYS after it, but none before today."""
    middle = max(instant or now, now).astimezone(clinic.zone).date()
    first_day = max(middle - NEAR, now.astimezone(clinic.zone).date())
    return day_interval(first_day, (middle - first_day).days + LEAST_DAYS, clinic.zone)


def _starts(
    schedule: Schedule, openings: list[Interval], service: Service, earliest: datetime, latest: datetime
) -> list[datetime]:
    return offered_starts(
        openings=openings,
        closed=schedule.closed,
        blocked=schedule.blocked,
        shape=service.shape,
        earliest=earliest,
        latest=latest,
    )


def _broken(service: Service, start: datetime, window: BookableTime, *, is_online: bool) -> tuple[Because, ...]:
    """Return the rules that `booking.schedule.rules.require_free` finds broken, in its order."""
    broken = {
        Because.SERVICE: not service.is_bookable,
        Because.NOTICE: start < window.earliest,
        Because.HORIZON: start >= window.latest,
        Because.KEPT: not is_online,
    }
    return tuple(reason for reason, is_broken in broken.items() if is_broken)


def _grouped[Row](rows: list[Row], key: Callable[[Row], Any]) -> list[list[Row]]:
    return [list(group) for _, group in groupby(rows, key=key)]
