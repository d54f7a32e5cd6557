"""Property tests: slots against a naive oracle that counts minutes, and interval algebra against sets of minutes."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.time.intervals import Interval, VisitShape, intersect, offered_starts, subtract, union

BASE = datetime(2026, 11, 1, tzinfo=UTC)
HORIZON = 600  # length in minutes of the time span used by the properties


def at(minute: int) -> datetime:
    return BASE + timedelta(minutes=minute)


def span(start: int, end: int) -> Interval:
    return Interval(at(start), at(end))


def minutes_of(intervals) -> set[int]:
    """Return the minutes covered by `intervals`."""
    found = set()
    for interval in intervals:
        start = int((interval.start - BASE).total_seconds() // 60)
        found.update(range(start, start + interval.minutes))
    return found


@st.composite
def intervals(draw, longest=200):
    start = draw(st.integers(0, HORIZON - 1))
    return span(start, start + draw(st.integers(1, longest)))


some_intervals = st.lists(intervals(), max_size=6)


def is_canonical(found) -> bool:
    return all(left.end < right.start for left, right in pairwise(found))


@given(some_intervals)
def test_union_has_the_same_minutes_and_no_adjacent_intervals(these):
    assert minutes_of(union(these)) == minutes_of(these)
    assert is_canonical(union(these))


@given(some_intervals, some_intervals)
def test_subtract_and_intersect_are_those_of_sets(these, those):
    assert minutes_of(subtract(these, those)) == minutes_of(these) - minutes_of(those)
    assert minutes_of(intersect(these, those)) == minutes_of(these) & minutes_of(those)
    assert is_canonical(subtract(these, those))
    assert is_canonical(intersect(these, those))


def starts_by_counting(openings, closed, blocked, shape, earliest, latest) -> list[int]:
    """Return the starts found by a naive oracle that tries every step of every opening, minute by minute."""
    open_minutes = minutes_of(openings) - minutes_of(closed)
    busy_minutes = minutes_of(blocked)
    found = set()
    for opening in openings:
        first = int((opening.start - BASE).total_seconds() // 60)
        for start in range(first, first + opening.minutes, shape.step):
            visit = set(range(start, start + shape.minutes))
            kept_free = set(range(start - shape.prepare, start + shape.minutes + shape.turnover))
            if earliest <= start < latest and visit <= open_minutes and not kept_free & busy_minutes:
                found.add(start)
    return sorted(found)


shapes = st.builds(
    VisitShape,
    minutes=st.integers(1, 90),
    step=st.integers(1, 60),
    prepare=st.integers(0, 30),
    turnover=st.integers(0, 30),
)


@given(some_intervals, some_intervals, some_intervals, shapes, st.integers(0, HORIZON), st.integers(0, HORIZON))
def test_offered_starts_are_those_a_minute_grid_finds(openings, closed, blocked, shape, earliest, latest):
    found = offered_starts(
        openings=openings, closed=closed, blocked=blocked, shape=shape, earliest=at(earliest), latest=at(latest)
    )
    assert found == [at(m) for m in starts_by_counting(openings, closed, blocked, shape, earliest, latest)]


@given(some_intervals, some_intervals, shapes)
def test_booking_an_offered_start_never_overlaps_what_is_blocked(openings, blocked, shape):
    for start in offered_starts(
        openings=openings, closed=[], blocked=blocked, shape=shape, earliest=at(0), latest=at(HORIZON)
    ):
        assert not intersect([shape.blocked(start)], blocked)


def morning(*, closed=(), blocked=(), earliest=0, **shape) -> list[str]:
    """Return the offered starts from 9:00 to 12:00, as local times."""
    found = offered_starts(
        openings=[span(540, 720)],
        closed=closed,
        blocked=blocked,
        shape=VisitShape(**{"minutes": 45, "step": 30, **shape}),
        earliest=at(earliest),
        latest=at(24 * 60),
    )
    return [f"{start:%H:%M}" for start in found]


def test_starts_count_in_steps_from_opening_when_nothing_is_booked():
    assert morning() == ["09:00", "09:30", "10:00", "10:30", "11:00"]


def test_turnover_may_run_past_closing_and_preparation_before_opening():
    assert morning(prepare=30, turnover=60) == ["09:00", "09:30", "10:00", "10:30", "11:00"]


def test_buffers_are_kept_free_when_a_visit_is_booked():
    assert morning(blocked=[span(600, 660)], prepare=0, turnover=15) == ["09:00", "11:00"]
    assert morning(blocked=[span(600, 660)], prepare=10, turnover=15) == ["09:00"]


def test_a_visit_may_touch_what_is_blocked():
    assert "09:00" in morning(blocked=[span(585, 600)])


def test_a_closure_shifts_no_other_time_when_it_begins_between_steps():
    assert morning(closed=[span(580, 590)]) == ["10:00", "10:30", "11:00"]


def test_starts_before_the_earliest_are_omitted_and_later_steps_are_kept():
    assert morning(earliest=601) == ["10:30", "11:00"]
    assert morning(earliest=600) == ["10:00", "10:30", "11:00"]


def test_a_visit_runs_from_one_opening_into_the_next_when_they_touch():
    found = offered_starts(
        openings=[span(540, 600), span(600, 660)],
        closed=[],
        blocked=[],
        shape=VisitShape(minutes=50, step=40),
        earliest=at(0),
        latest=at(1440),
    )
    assert [f"{start:%H:%M}" for start in found] == ["09:00", "09:40", "10:00"]


def test_interval_refuses_local_time_and_empty_range():
    with pytest.raises(ValueError, match="UTC"):
        Interval(datetime(2026, 11, 1, 9), datetime(2026, 11, 1, 10))
    with pytest.raises(ValueError, match="end after"):
        span(60, 60)
