"""From "Mondays 9 to 5" to instants. Pure: the standard library's time zones, no database, no clock.

Weekly hours are wall-clock times in the clinic's zone, so nine o'clock stays nine o'clock all year. Twice a year a wall
clock reads a time that does not exist or one that comes twice. Our rule, for opening and for closing alike:

- A time that is skipped in spring (02:30 when the clocks go from 02:00 to 03:00) means the instant of the jump.
- A time that is repeated in autumn (01:30 when they go back from 02:00 to 01:00) means the first of the two.

So hours never end before they start; hours that lie wholly inside the skipped hour vanish that day.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from booking.scheduling import Interval


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """Open every `weekday` (Monday is 0) from `opens` to `closes`, wall-clock times of one day.

    `valid_from` and `valid_until` are the first and the last day it counts; None means without end.
    """

    weekday: int
    opens: time
    closes: time
    valid_from: date | None = None
    valid_until: date | None = None
    mode: str = "bookable"  # or "call_us", "reserve": who can take them, and when

    def is_valid_on(self, day: date) -> bool:
        """Whether it says anything about `day`, by weekday and by its dates."""
        return (
            day.weekday() == self.weekday
            and (self.valid_from is None or self.valid_from <= day)
            and (self.valid_until is None or day <= self.valid_until)
        )


def instant_of(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, at which clocks in `zone` read `clock` on `day`, by the rule above."""
    local = datetime.combine(day, clock, tzinfo=zone)
    before, after = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    # zoneinfo reads fold=0 with the offset before a change and fold=1 with the one after it. In a repeated hour that is
    # the first and the second reading. In a skipped one the jump lies between them, and "after" comes before "before".
    return before if before <= after else change_between(after, before, zone)


def change_between(early: datetime, late: datetime, zone: ZoneInfo) -> datetime:
    """The first instant, to the second, at which `zone` has another offset than at `early`; `late` has another already."""
    offset = early.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)


def opening_intervals(weekly: Iterable[WeeklyHours], *, first_day: date, days: int, zone: ZoneInfo) -> list[Interval]:
    """The openings of `days` days from `first_day`, in UTC and sorted; not merged, as starts count from each of them."""
    weekly, openings = list(weekly), set()
    for day in (first_day + timedelta(days=n) for n in range(days)):
        for hours in weekly:
            if hours.is_valid_on(day):
                opens, closes = instant_of(day, hours.opens, zone), instant_of(day, hours.closes, zone)
                if opens < closes:
                    openings.add(Interval(opens, closes))
    return sorted(openings)


def online_openings(
    weekly: Iterable[WeeklyHours], *, first_day: date, days: int, today: date, zone: ZoneInfo
) -> tuple[list[Interval], list[Interval]]:
    """The openings offered online on `today`, and those that are not: by phone only, or kept back.

    What is kept back opens by itself at the clinic's midnight that begins the day before.
    """
    weekly = list(weekly)
    reserve = [hours for hours in weekly if hours.mode == "reserve"]
    let_go_days = min(max((today + timedelta(days=2) - first_day).days, 0), days)
    span = {"zone": zone}
    online = opening_intervals((h for h in weekly if h.mode == "bookable"), first_day=first_day, days=days, **span)
    online += opening_intervals(reserve, first_day=first_day, days=let_go_days, **span)
    kept = opening_intervals((h for h in weekly if h.mode == "call_us"), first_day=first_day, days=days, **span)
    kept_from = first_day + timedelta(days=let_go_days)
    kept += opening_intervals(reserve, first_day=kept_from, days=days - let_go_days, **span)
    return sorted(online), sorted(kept)


def day_interval(first_day: date, days: int, zone: ZoneInfo) -> Interval:
    """From midnight to midnight in `zone`, in UTC: 23 or 25 hours long on the days the clocks change."""
    return Interval(instant_of(first_day, time.min, zone), instant_of(first_day + timedelta(days=days), time.min, zone))
