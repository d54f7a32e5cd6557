"""Property tests of the calendar's axis and lanes, with the days on which the clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from booking.time.intervals import Interval
from booking.time.opening_hours import day_interval, instant_of
from booking.week.layout import DAY_MINUTES, Axis, Mark, Span, arrange_in_lanes, axis_of, window_of

NEW_YORK = ZoneInfo("America/New_York")
BACK, FORWARD = date(2026, 11, 1), date(2026, 3, 8)  # days of 25 and of 23 hours in New York
ZONES = (
    "America/New_York",
    "America/Santiago",  # changes at midnight
    "America/Havana",  # repeats the first hour of a day
    "Australia/Lord_Howe",  # changes by 30 minutes
    "Europe/London",
    "UTC",
)


@st.composite
def weeks(draw):
    """A zone, and seven days of 2026 in it, often with a clock change."""
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    near_change = st.sampled_from((date(2026, 3, 4), date(2026, 3, 27), date(2026, 4, 2), date(2026, 9, 3)))
    in_fall = st.sampled_from((date(2026, 10, 1), date(2026, 10, 22), date(2026, 10, 29)))
    return zone, draw(near_change | in_fall | st.dates(date(2026, 1, 2), date(2026, 12, 20)))


spans = st.builds(lambda first, length: Span(first, first + length), st.integers(0, 600), st.integers(1, 200))


def minutes_of_the_day(day, zone) -> list[datetime]:
    """Return every minute of `day`, as instants."""
    whole = day_interval(day, 1, zone)
    return [whole.start + timedelta(minutes=number) for number in range(whole.minutes)]


@given(weeks())
def test_each_minute_of_each_day_has_its_own_place_in_order_and_the_rest_is_absent(week):
    zone, first = week
    axis = axis_of(first, 7, zone)
    for day in (first + timedelta(days=number) for number in range(7)):
        places = [axis.minute(instant, day) for instant in minutes_of_the_day(day, zone)]
        assert places == sorted(set(places))
        absent = {minute for span in axis.absent(day) for minute in range(span.first, span.last)}
        assert set(places) | absent == set(range(axis.end)) and not absent & set(places)


@given(weeks(), st.times().map(lambda clock: clock.replace(fold=0)))  # staff type no fold
def test_a_local_time_is_at_the_same_minute_on_every_day_that_has_it(week, clock):
    zone, first = week
    axis = axis_of(first, 7, zone)
    places = set()
    for day in (first + timedelta(days=number) for number in range(7)):
        instant = instant_of(day, clock, zone)
        if instant.astimezone(zone).time() == clock:
            places.add(axis.minute(instant, day))
    assert len(places) <= 1


@given(weeks(), st.integers(0, 6), st.integers(-600, 2000), st.integers(1, 900), st.integers(0, 59))
@example((ZoneInfo("America/Santiago"), date(2026, 4, 2)), 0, 540, 900, 1)  # Saturday repeats its last hour
def test_span_has_the_minutes_of_the_interval_that_are_on_the_day(week, number, begins, length, seconds):
    zone, first = week
    day, axis = first + timedelta(days=number), axis_of(first, 7, zone)
    start = day_interval(day, 1, zone).start + timedelta(minutes=begins, seconds=seconds)
    interval = Interval(start, start + timedelta(minutes=length))
    touched = {
        axis.minute(minute, day)
        for minute in minutes_of_the_day(day, zone)
        if minute < interval.end and interval.start < minute + timedelta(minutes=1)
    }
    span = axis.span(interval, day)
    assert (span is None) == (not touched)
    if span is not None:
        assert (span.first, span.last) == (min(touched), max(touched) + 1)
        assert 0 <= span.first < span.last <= axis.end


@given(weeks())
def test_marks_are_in_order_and_label_the_local_time(week):
    zone, first = week
    axis = axis_of(first, 7, zone)
    marks = axis.marks(Span(0, axis.end))
    assert [mark.minute for mark in marks] == sorted({mark.minute for mark in marks})
    for day in (first + timedelta(days=number) for number in range(7)):
        shown = {axis.minute(minute, day): minute.astimezone(zone) for minute in minutes_of_the_day(day, zone)}
        for mark in marks:
            if mark.minute in shown:
                local = shown[mark.minute]
                assert (local.hour, local.minute, bool(local.fold)) == (mark.hour, 0, mark.is_repeated)


def test_day_of_25_hours_has_the_repeated_hour_twice_and_the_others_lack_it():
    axis = axis_of(date(2026, 10, 26), 7, NEW_YORK)
    assert axis == Axis(NEW_YORK, repeat_end=120, repeat_minutes=60) and axis.end == 25 * 60
    first, second = datetime(2026, 11, 1, 5, 30, tzinfo=UTC), datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert (axis.minute(first, BACK), axis.minute(second, BACK)) == (90, 150)
    assert axis.absent(BACK) == [] and axis.absent(date(2026, 10, 31)) == [Span(120, 180)]
    assert axis.marks(Span(60, 240)) == [Mark(60, 1), Mark(120, 1, is_repeated=True), Mark(180, 2)]


def test_day_of_23_hours_lacks_the_skipped_hour():
    axis = axis_of(date(2026, 3, 2), 7, NEW_YORK)
    assert axis == Axis(NEW_YORK)
    assert axis.absent(FORWARD) == [Span(120, 180)] and axis.absent(date(2026, 3, 7)) == []
    nine = instant_of(FORWARD, time(9), NEW_YORK)
    assert axis.minute(nine, FORWARD) == 9 * 60


@given(st.lists(spans, max_size=30))
def test_overlapping_spans_have_different_lanes_of_one_width(these):
    lanes = arrange_in_lanes(these)
    assert len(lanes) == len(these)
    for one, lane in zip(these, lanes, strict=True):
        assert 0 <= lane.number < lane.count
        for other, beside in zip(these, lanes, strict=True):
            if one is not other and one.overlaps(other):
                assert lane.number != beside.number and lane.count == beside.count


@given(st.lists(spans, max_size=30))
def test_there_are_no_more_lanes_than_spans_that_share_a_minute(these):
    most = max((sum(span.first <= one.first < span.last for span in these) for one in these), default=0)
    assert max((lane.count for lane in arrange_in_lanes(these)), default=0) == most


@given(st.lists(spans, max_size=30))
def test_a_span_that_overlaps_nothing_has_the_whole_width(these):
    for one, lane in zip(these, arrange_in_lanes(these), strict=True):
        if not any(other is not one and one.overlaps(other) for other in these):
            assert (lane.number, lane.count) == (0, 1)


@given(st.lists(spans, min_size=1, max_size=10))
def test_window_is_whole_hours_around_everything(these):
    axis = Axis(NEW_YORK)
    window = window_of(these, axis)
    assert window.first % 60 == 0 == window.last % 60
    assert all(window.first <= span.first and span.last <= window.last for span in these)
    assert window.first > min(span.first for span in these) - 60
    assert window.last < max(span.last for span in these) + 60


def test_window_without_anything_is_the_usual_day():
    assert window_of([], Axis(NEW_YORK)) == Span(8 * 60, 18 * 60)


def test_empty_span_is_refused():
    with pytest.raises(ValueError):
        Span(5, 5)
    assert Span(0, DAY_MINUTES).minutes == DAY_MINUTES
