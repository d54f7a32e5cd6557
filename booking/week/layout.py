"""Arrange days on one axis of minutes, and what overlaps in lanes. Pure.

The axis is the local clock in minutes since midnight, the same for all days in view. If the clocks go back on one of
the days, the repeated time is on the axis twice, and the other days lack the second. If they go forward, that day lacks
the skipped time. Therefore 9:00 AM is at the same height on every day.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from booking.time.intervals import Interval
from booking.time.opening_hours import change_between, day_interval

DAY_MINUTES = 24 * 60
HOUR = 60
USUAL_HOURS = (8 * HOUR, 18 * HOUR)  # shown if there is nothing to show


@dataclass(frozen=True, order=True, slots=True)
class Span:
    """A half-open range [first, last) of minutes on the axis. Raises ValueError if it is empty."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if not self.first < self.last:
            raise ValueError("A span must end after it starts.")

    @property
    def minutes(self) -> int:
        return self.last - self.first

    def overlaps(self, other: "Span") -> bool:
        """Whether the two share a minute. Spans that only touch do not overlap."""
        return self.first < other.last and other.first < self.last


@dataclass(frozen=True, slots=True)
class Lane:
    """One of `count` equally wide lanes, counted from 0."""

    number: int
    count: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A full hour on the axis. `is_repeated`: the second of two with this local time."""

    minute: int
    hour: int
    is_repeated: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """The axis of some days in `zone`.

    `repeat_minutes` minutes of local time up to `repeat_end` (minutes since midnight) are repeated on one of the days;
    0 if the clocks do not go back.
    """

    zone: ZoneInfo
    repeat_end: int = 0
    repeat_minutes: int = 0

    @property
    def end(self) -> int:
        """The minute at which the days end."""
        return DAY_MINUTES + self.repeat_minutes

    def minute(self, instant: datetime, day: date) -> int:
        """Return the minute of `instant` on `day`, rounded down; 0 before the day and `end` after it."""
        local = instant.astimezone(self.zone)
        if local.date() != day:
            return 0 if local.date() < day else self.end
        minute = local.hour * HOUR + local.minute
        is_after = local.fold == 1 or minute >= self.repeat_end
        return minute + (self.repeat_minutes if is_after else 0)

    def span(self, interval: Interval, day: date) -> Span | None:
        """Return the part of `interval` on `day`, in whole minutes that contain it; None if there is none."""
        first, last = self.minute(interval.start, day), self._end_minute(interval.end, day)
        return Span(first, last) if first < last else None

    def _end_minute(self, instant: datetime, day: date) -> int:
        """Return the minute at which a span up to `instant` ends, which a clock change at `instant` does not move.

        A span that goes on after the day ends with the day, which can be before `end` if another day repeats its last
        hour.
        """
        before = min(instant, day_interval(day, 1, self.zone).end) - timedelta(microseconds=1)
        minute = self.minute(before, day)
        return minute + (before.astimezone(self.zone).date() == day)

    def absent(self, day: date) -> list[Span]:
        """Return the parts of the axis that `day` does not have."""
        whole = day_interval(day, 1, self.zone)
        found = []
        if whole.minutes < DAY_MINUTES:
            after = self.minute(change_between(whole.start - timedelta(hours=1), whole.end, self.zone), day)
            found.append(Span(after - (DAY_MINUTES - whole.minutes), after))
        if self.repeat_minutes and whole.minutes <= DAY_MINUTES:
            found.append(Span(self.repeat_end, self.repeat_end + self.repeat_minutes))
        return found

    def marks(self, window: Span) -> list[Mark]:
        """Return the full hours in `window`, its beginning included."""
        hours = range(DAY_MINUTES // HOUR)
        first = [Mark(self._shifted(hour * HOUR), hour) for hour in hours]
        repeat_start = self.repeat_end - self.repeat_minutes
        second = [
            Mark(hour * HOUR + self.repeat_minutes, hour, is_repeated=True)
            for hour in hours
            if repeat_start <= hour * HOUR < self.repeat_end
        ]
        marks = sorted([*first, *second], key=lambda mark: mark.minute)
        return [mark for mark in marks if window.first <= mark.minute < window.last]

    def _shifted(self, minute: int) -> int:
        return minute + (self.repeat_minutes if minute >= self.repeat_end else 0)


def axis_of(first_day: date, days: int, zone: ZoneInfo) -> Axis:
    """Return the axis of `days` days from `first_day`. At most one of them may be a day on which the clocks go back."""
    for day in (first_day + timedelta(days=number) for number in range(days)):
        whole = day_interval(day, 1, zone)
        if whole.minutes > DAY_MINUTES:
            again = change_between(whole.start, whole.end, zone).astimezone(zone)
            repeated = whole.minutes - DAY_MINUTES
            return Axis(zone, again.hour * HOUR + again.minute + repeated, repeated)
    return Axis(zone)


def window_of(spans: Iterable[Span], axis: Axis) -> Span:
    """Return the whole hours that contain all `spans`; USUAL_HOURS without any."""
    spans = list(spans)
    if not spans:
        return Span(*(axis.repeat_minutes + minute for minute in USUAL_HOURS))
    first, last = min(span.first for span in spans), max(span.last for span in spans)
    return Span(first // HOUR * HOUR, min(-(-last // HOUR) * HOUR, -(-axis.end // HOUR) * HOUR))


def arrange_in_lanes(spans: Sequence[Span]) -> list[Lane]:
    """Return the lane of each span, in their order. Overlapping spans have different lanes of the same width.

    Spans that are connected by overlaps share the number of lanes, which is the smallest possible. Of spans with one
    start, the earlier in `spans` is further left.
    """
    order = sorted(range(len(spans)), key=lambda place: spans[place].first)
    numbers, counts = [0] * len(spans), [1] * len(spans)
    group: list[int] = []
    ends: list[int] = []  # the last minute of each lane of the group
    for place in order:
        span = spans[place]
        if ends and span.first >= max(ends):
            _close(group, counts, len(ends))
            group, ends = [], []
        number = next((lane for lane, end in enumerate(ends) if end <= span.first), len(ends))
        ends[number : number + 1] = [span.last]
        numbers[place] = number
        group.append(place)
    _close(group, counts, len(ends))
    return [Lane(*pair) for pair in zip(numbers, counts, strict=True)]


def _close(group: list[int], counts: list[int], lanes: int) -> None:
    for place in group:
        counts[place] = lanes
