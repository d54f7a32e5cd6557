"""Daily and weekly caps on visits of a service. Pure.

Days and weeks are in the clinic's time zone, which callers pass as `zone`. A week starts on Monday.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Caps:
    """The maximum number of visits of one service per therapist, in a day and in a week; None: no cap."""

    daily: int | None = None
    weekly: int | None = None

    @property
    def has_any(self) -> bool:
        return self.daily is not None or self.weekly is not None


def starts_under_caps(
    starts: Iterable[datetime], *, taken: Iterable[datetime], caps: Caps, zone: ZoneInfo
) -> list[datetime]:
    """Return the `starts` whose day and week in `zone` have room for one more visit besides the `taken` ones."""
    if not caps.has_any:
        return list(starts)
    taken_days = [start.astimezone(zone).date() for start in taken]
    days, weeks = Counter(taken_days), Counter(map(monday_of, taken_days))

    def has_room(start: datetime) -> bool:
        day = start.astimezone(zone).date()
        return (caps.daily is None or days[day] < caps.daily) and (
            caps.weekly is None or weeks[monday_of(day)] < caps.weekly
        )

    return [start for start in starts if has_room(start)]


def monday_of(day: date) -> date:
    """Return the Monday of the week of `day`."""
    return day - timedelta(days=day.weekday())
