"""Opening hours keep their local time all year. Skipped and repeated times follow the rule."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.time.intervals import VisitShape, offered_starts
from booking.time.opening_hours import MIDNIGHT, WeeklyHours, common_hours, day_interval, instant_of, opening_intervals

NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # its clocks change by half an hour
SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)  # both Sundays, 02:00 in New York
EVERY_DAY = [WeeklyHours(weekday, time(9), time(17)) for weekday in range(7)]


def utc(*parts) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def openings(weekly, first_day, days=1, zone=NEW_YORK):
    return opening_intervals(weekly, first_day=first_day, days=days, zone=zone)


@pytest.mark.parametrize("change", [SPRING, AUTUMN])
def test_hours_are_9_to_5_in_local_time_when_the_clocks_change(change):
    for interval in openings(EVERY_DAY, change - timedelta(days=2), days=5):
        assert interval.start.astimezone(NEW_YORK).time() == time(9)
        assert interval.end.astimezone(NEW_YORK).time() == time(17)
        assert interval.minutes == 8 * 60


def test_a_skipped_time_is_the_instant_of_the_jump():
    jump = utc(2026, 3, 8, 7)
    assert instant_of(SPRING, time(2, 0), NEW_YORK) == jump
    assert instant_of(SPRING, time(2, 30), NEW_YORK) == jump
    assert instant_of(SPRING, time(2, 59, 59), NEW_YORK) == jump
    assert instant_of(SPRING, time(3, 0), NEW_YORK) == jump
    assert instant_of(SPRING, time(1, 59), NEW_YORK) == utc(2026, 3, 8, 6, 59)


def test_a_repeated_time_is_the_first_of_the_two():
    assert instant_of(AUTUMN, time(1, 30), NEW_YORK) == utc(2026, 11, 1, 5, 30)
    assert instant_of(AUTUMN, time(0, 59), NEW_YORK) == utc(2026, 11, 1, 4, 59)
    assert instant_of(AUTUMN, time(2, 0), NEW_YORK) == utc(2026, 11, 1, 7)


def test_half_an_hour_is_skipped_where_clocks_change_by_half_an_hour():
    assert instant_of(date(2026, 10, 4), time(2, 15), LORD_HOWE) == utc(2026, 10, 3, 15, 30)


def test_hours_within_a_skipped_hour_are_omitted_that_day():
    night = [WeeklyHours(6, time(2, 10), time(2, 50))]
    assert openings(night, SPRING) == []
    assert len(openings(night, SPRING + timedelta(days=7))) == 1


def test_hours_over_the_change_are_an_hour_shorter_and_longer():
    night = [WeeklyHours(6, time(0), time(4))]
    assert openings(night, SPRING)[0].minutes == 3 * 60
    assert openings(night, AUTUMN)[0].minutes == 5 * 60


def test_a_day_has_23_and_25_hours_when_the_clocks_change():
    assert day_interval(SPRING, 1, NEW_YORK).minutes == 23 * 60
    assert day_interval(AUTUMN, 1, NEW_YORK).minutes == 25 * 60
    assert day_interval(date(2026, 6, 1), 7, NEW_YORK).minutes == 7 * 24 * 60


def test_slots_of_a_night_are_whole_hours_apart_when_the_clocks_change():
    """Naive local arithmetic would offer 02:00 in spring, which is skipped, and lose an hour in autumn."""
    shape = VisitShape(minutes=60, step=60)
    for day, labels in (
        (SPRING, ["00:00", "01:00", "03:00"]),
        (AUTUMN, ["00:00", "01:00", "01:00", "02:00", "03:00"]),
    ):
        starts = offered_starts(
            openings=openings([WeeklyHours(6, time(0), time(4))], day),
            closed=[],
            blocked=[],
            shape=shape,
            earliest=utc(2026, 1, 1),
            latest=utc(2027, 1, 1),
        )
        assert [f"{start.astimezone(NEW_YORK):%H:%M}" for start in starts] == labels


def test_hours_count_from_their_first_day_to_their_last():
    mondays = [WeeklyHours(0, time(9), time(12), valid_from=date(2026, 12, 7), valid_until=date(2026, 12, 14))]
    found = openings(mondays, date(2026, 11, 30), days=28)
    assert [interval.start.day for interval in found] == [7, 14]


@given(
    st.sampled_from(["America/New_York", "Australia/Lord_Howe", "Europe/London", "America/St_Johns", "Asia/Kathmandu"]),
    st.dates(date(2025, 1, 1), date(2036, 12, 31)),
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
)
def test_instant_has_the_given_wall_clock_time_unless_it_is_skipped(zone_name, day, clock):
    zone = ZoneInfo(zone_name)
    instant = instant_of(day, clock, zone)
    read = instant.astimezone(zone)
    if (read.date(), read.time()) != (day, clock):
        just_before = (instant - timedelta(seconds=1)).astimezone(zone)
        assert just_before.utcoffset() < read.utcoffset(), "only a jump forward may change the reading"
        assert just_before.replace(tzinfo=None) < datetime.combine(day, clock) < read.replace(tzinfo=None)


def test_hours_last_until_midnight():
    late = [WeeklyHours(1, time(22), MIDNIGHT)]
    (opening,) = openings(late, date(2026, 12, 1))
    assert (opening.start, opening.end) == (utc(2026, 12, 2, 3), utc(2026, 12, 2, 5))
    assert openings(late, date(2026, 12, 2)) == []


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25), (date(2026, 12, 6), 24)])
def test_hours_from_midnight_to_midnight_are_the_whole_day_when_the_clocks_change(day, hours):
    (opening,) = openings([WeeklyHours(6, MIDNIGHT, MIDNIGHT)], day)
    assert opening == day_interval(day, 1, NEW_YORK)
    assert opening.minutes == hours * 60


def test_hours_until_midnight_end_at_the_jump_where_midnight_is_skipped():
    havana = ZoneInfo("America/Havana")  # in 2026 its clocks go from 00:00 to 01:00 on March 8, a Sunday
    (opening,) = openings([WeeklyHours(5, time(22), MIDNIGHT)], date(2026, 3, 7), zone=havana)
    assert opening.minutes == 120
    assert opening.end.astimezone(havana).time() == time(1)


def test_visit_runs_over_midnight_where_the_next_day_opens_at_midnight():
    night = openings([WeeklyHours(1, time(22), MIDNIGHT), WeeklyHours(2, MIDNIGHT, time(2))], date(2026, 12, 1), days=2)
    shape = VisitShape(minutes=90, step=60)
    starts = offered_starts(
        openings=night, closed=[], blocked=[], shape=shape, earliest=utc(2026, 1, 1), latest=utc(2027, 1, 1)
    )
    assert [f"{start.astimezone(NEW_YORK):%H:%M}" for start in starts] == ["22:00", "23:00", "00:00"]


NINE_TO_NOON = WeeklyHours(0, time(9), time(12))


@pytest.mark.parametrize(
    ("other", "is_common"),
    [
        (WeeklyHours(0, time(9), time(12)), True),
        (WeeklyHours(0, time(11), time(15)), True),
        (WeeklyHours(0, time(12), time(15)), False),
        (WeeklyHours(0, time(8), MIDNIGHT), True),
        (WeeklyHours(0, MIDNIGHT, time(9)), False),
        (WeeklyHours(1, time(9), time(12)), False),
        (WeeklyHours(0, time(9), time(12), valid_from=date(2027, 1, 4)), True),
    ],
)
def test_hours_are_common_when_a_clock_time_of_a_day_is_in_both(other, is_common):
    assert common_hours(NINE_TO_NOON, other) is common_hours(other, NINE_TO_NOON) is is_common


@pytest.mark.parametrize(
    ("until", "since", "is_common"),
    [
        (date(2026, 12, 7), date(2026, 12, 7), True),
        (date(2026, 12, 7), date(2026, 12, 8), False),
        (date(2026, 12, 13), date(2026, 12, 8), False),  # no Monday from Tuesday to Sunday
        (date(2026, 12, 14), date(2026, 12, 8), True),
    ],
)
def test_hours_are_common_only_when_both_count_on_a_day_of_that_name(until, since, is_common):
    ending = WeeklyHours(0, time(9), time(12), valid_until=until)
    beginning = WeeklyHours(0, time(9), time(12), valid_from=since)
    assert common_hours(ending, beginning) is common_hours(beginning, ending) is is_common
