"""Convert weekly opening hours, such as Mondays 9 to 5, to intervals in UTC. Pure.

Weekly hours are local times in the clinic's zone. On the days the clocks change:

- A local time that is skipped (02:30 when the clocks go from 02:00 to 03:00) means the instant of the change.
- A local time that is repeated (01:30 when they go back from 02:00 to 01:00) means the first of the two.

Therefore hours never end before they start. Hours inside the skipped hour are omitted that day.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from booking.time.intervals import Interval

MIDNIGHT = time.min  # as a closing time: the end of the day
DAY_S = 24 * 60 * 60  # in local time


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """Hours on every `weekday` (Monday is 0) from `opens` to `closes`, in local time; MIDNIGHT closes at the day's end.

    `valid_from` and `valid_until` are the first and last valid days; None: no limit.
    """

    weekday: int
    opens: time
    closes: time
    valid_from: date | None = None
    valid_until: date | None = None
    mode: str = "bookable"  # a value of `booking.models.HoursMode`

    def is_valid_on(self, day: date) -> bool:
        """Whether these hours apply on `day`, by weekday and validity."""
        return (
            day.weekday() == self.weekday
            and (self.valid_from is None or self.valid_from <= day)
            and (self.valid_until is None or day <= self.valid_until)
        )

    @property
    def stretch(self) -> tuple[int, int]:
        """Opening and closing in seconds of local time since midnight; MIDNIGHT as closing is the end of the day."""
        return _seconds(self.opens), DAY_S if self.closes == MIDNIGHT else _seconds(self.closes)

    def interval_on(self, day: date, zone: ZoneInfo) -> Interval | None:
        """Return the opening on `day` in UTC; None if a clock change skips it."""
        closing_day = day + timedelta(days=1) if self.closes == MIDNIGHT else day
        opens, closes = instant_of(day, self.opens, zone), instant_of(closing_day, self.closes, zone)
        return Interval(opens, closes) if opens < closes else None


def _seconds(clock: time) -> int:
    return clock.hour * 3600 + clock.minute * 60 + clock.second


def common_hours(one: WeeklyHours, other: WeeklyHours) -> bool:
    """Whether on some day both are open at the same local time."""
    first = max(filter(None, (one.valid_from, other.valid_from)), default=None)
    last = min(filter(None, (one.valid_until, other.valid_until)), default=None)
    if one.weekday != other.weekday or (first and last and not _has_weekday(one.weekday, first, last)):
        return False
    (opens, closes), (other_opens, other_closes) = one.stretch, other.stretch
    return opens < other_closes and other_opens < closes


def _has_weekday(weekday: int, first: date, last: date) -> bool:
    return first + timedelta(days=(weekday - first.weekday()) % 7) <= last


def instant_of(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Convert a local time in `zone` to UTC, by the module's rule for skipped and repeated times."""
    local = datetime.combine(day, clock, tzinfo=zone)
    before, after = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    # zoneinfo uses the offset before a change for fold=0 and the one after it for fold=1. In a repeated hour the
    # results are the first and the second instant with that local time. In a skipped hour the change is between the
    # results, and `after` is earlier than `before`.
    return before if before <= after else change_between(after, before, zone)


def change_between(early: datetime, late: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant, to the second, at which the UTC offset of `zone` changes between `early` and `late`."""
    offset = early.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)


def opening_intervals(weekly: Iterable[WeeklyHours], *, first_day: date, days: int, zone: ZoneInfo) -> list[Interval]:
    """Return the openings of `days` days from `first_day`, sorted, in UTC.

    They are not merged, because start times count from the beginning of each opening.
    """
    weekly, openings = list(weekly), set()
    for day in (first_day + timedelta(days=n) for n in range(days)):
        for hours in weekly:
            if hours.is_valid_on(day) and (opening := hours.interval_on(day, zone)):
                openings.add(opening)
    return sorted(openings)


def online_openings(
    weekly: Iterable[WeeklyHours], *, first_day: date, days: int, today: date, zone: ZoneInfo
) -> tuple[list[Interval], list[Interval]]:
    """Return the openings offered online as of `today`, and those that are by phone only or still reserved.

    Reserved hours are offered online from midnight (in `zone`) at the beginning of the day before theirs.
    """
    weekly = list(weekly)
    reserve = [hours for hours in weekly if hours.mode == "reserve"]
    released_days = min(max((today + timedelta(days=2) - first_day).days, 0), days)
    span = {"zone": zone}
    online = opening_intervals((h for h in weekly if h.mode == "bookable"), first_day=first_day, days=days, **span)
    online += opening_intervals(reserve, first_day=first_day, days=released_days, **span)
    kept = opening_intervals((h for h in weekly if h.mode == "call_us"), first_day=first_day, days=days, **span)
    kept_from = first_day + timedelta(days=released_days)
    kept += opening_intervals(reserve, first_day=kept_from, days=days - released_days, **span)
    return sorted(online), sorted(kept)


def day_interval(first_day: date, days: int, zone: ZoneInfo) -> Interval:
    """Return the interval of `days` local days in `zone` from `first_day`.

    A day of a clock change has 23 or 25 hours.
    """
    return Interval(instant_of(first_day, time.min, zone), instant_of(first_day + timedelta(days=days), time.min, zone))


def days_touching(stretch: Interval, zone: ZoneInfo) -> tuple[date, int]:
    """Return the first local day in `zone` that `stretch` overlaps, and the number of days it overlaps."""
    first = stretch.start.astimezone(zone).date()
    last = (stretch.end - timedelta(microseconds=1)).astimezone(zone).date()
    return first, (last - first).days + 1
