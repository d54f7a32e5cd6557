"""Interval arithmetic: when a visit can start. Pure.

UTC only, so that every hour has 60 minutes. `booking.time.opening_hours` converts local hours.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter


@dataclass(frozen=True, order=True, slots=True)
class Interval:
    """A half-open interval [start, end) in UTC. Raises ValueError if it is empty or not in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is not UTC or self.end.tzinfo is not UTC:
            raise ValueError("An interval's ends must be in UTC.")
        if not self.start < self.end:
            raise ValueError("An interval must end after it starts.")

    @property
    def minutes(self) -> int:
        """Length in whole minutes, rounded down."""
        return int((self.end - self.start).total_seconds() // 60)

    def overlaps(self, other: "Interval") -> bool:
        """Whether the two share an instant. Intervals that only touch do not overlap."""
        return self.start < other.end and other.start < self.end


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """Merge intervals that overlap or touch, and sort them."""
    merged: list[Interval] = []
    for interval in sorted(intervals):
        if merged and interval.start <= merged[-1].end:
            if interval.end > merged[-1].end:
                merged[-1] = Interval(merged[-1].start, interval.end)
        else:
            merged.append(interval)
    return merged


def subtract(intervals: Iterable[Interval], taken: Iterable[Interval]) -> list[Interval]:
    """Return the parts of `intervals` that no interval of `taken` covers, merged and sorted."""
    remaining, holes, first = [], union(taken), 0
    for interval in union(intervals):
        start = interval.start
        while first < len(holes) and holes[first].end <= start:
            first += 1
        index = first
        while index < len(holes) and holes[index].start < interval.end:
            if start < holes[index].start:
                remaining.append(Interval(start, holes[index].start))
            start = holes[index].end
            index += 1
        if start < interval.end:
            remaining.append(Interval(start, interval.end))
    return remaining


def intersect(intervals: Iterable[Interval], others: Iterable[Interval]) -> list[Interval]:
    """Return the parts that are in both, merged and sorted."""
    left, right, shared = union(intervals), union(others), []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i].start, right[j].start), min(left[i].end, right[j].end)
        if start < end:
            shared.append(Interval(start, end))
        if left[i].end <= right[j].end:
            i += 1
        else:
            j += 1
    return shared


@dataclass(frozen=True, slots=True)
class VisitShape:
    """Length of a visit, step between its start times, and buffers, in minutes."""

    minutes: int
    step: int  # between start times, counted from the beginning of each opening
    prepare: int = 0
    turnover: int = 0

    def visit(self, start: datetime) -> Interval:
        """Return the visit as the patient sees it, without buffers."""
        return Interval(start, start + timedelta(minutes=self.minutes))

    def blocked(self, start: datetime) -> Interval:
        """Return the visit with its buffers, which no other visit may overlap."""
        return Interval(
            start - timedelta(minutes=self.prepare), start + timedelta(minutes=self.minutes + self.turnover)
        )


def offered_starts(
    *,
    openings: Iterable[Interval],
    closed: Iterable[Interval],
    blocked: Iterable[Interval],
    shape: VisitShape,
    earliest: datetime,
    latest: datetime,
) -> list[datetime]:
    """Return the sorted instants in [earliest, latest) at which a visit of `shape` can start.

    - The visit is inside the openings and outside `closed`. Its buffers may extend past closing or into a closure, but
      the visit and its buffers may not overlap `blocked`.
    - Starts are whole steps from the beginning of each opening, so that a closure or a booking does not shift the other
      start times. A visit may run from one opening into the next if they touch.
    """
    openings = sorted(set(openings))
    free, busy = _Fit(subtract(openings, closed)), _Fit(union(blocked))
    return sorted(
        {
            start
            for opening in openings
            for start in _steps(opening, shape.step, earliest, latest)
            if free.contains(shape.visit(start)) and not busy.touches(shape.blocked(start))
        }
    )


def starts_beside(starts: Iterable[datetime], *, blocked: Iterable[Interval], shape: VisitShape) -> set[datetime]:
    """Return the `starts` at which the visit with its buffers is adjacent to a blocked interval."""
    blocked = list(blocked)
    beginnings, ends = {interval.start for interval in blocked}, {interval.end for interval in blocked}
    return {start for start in starts if shape.blocked(start).start in ends or shape.blocked(start).end in beginnings}


def _steps(opening: Interval, step: int, earliest: datetime, latest: datetime) -> Iterator[datetime]:
    width = timedelta(minutes=step)
    skipped = max(0, -((opening.start - earliest) // width))  # whole steps up to `earliest`
    start, end = opening.start + skipped * width, min(opening.end, latest)
    while start < end:
        yield start
        start += width


class _Fit:
    """Containment and overlap among sorted, disjoint intervals, by bisection."""

    def __init__(self, intervals: list[Interval]):
        self.intervals = intervals

    def contains(self, interval: Interval) -> bool:
        first = self._first_ending_after(interval.start)
        return first is not None and first.start <= interval.start and interval.end <= first.end

    def touches(self, interval: Interval) -> bool:
        first = self._first_ending_after(interval.start)
        return first is not None and first.start < interval.end

    def _first_ending_after(self, instant: datetime) -> Interval | None:
        index = bisect_right(self.intervals, instant, key=attrgetter("end"))
        return self.intervals[index] if index < len(self.intervals) else None
