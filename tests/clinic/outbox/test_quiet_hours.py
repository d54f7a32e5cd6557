"""Quiet hours in the reader's time zone, compared with a naive minute-by-minute search, including clock changes."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.outbox.text.quiet_hours import (
    QuietHours,
    end_of_quiet_hours,
    is_quiet,
    moved_before_quiet_hours,
    planned_around_quiet_hours,
)

NEW_YORK = ZoneInfo("America/New_York")
NIGHT = QuietHours(time(21), time(8), NEW_YORK)
SPRING, AUTUMN = datetime(2027, 3, 14), datetime(2026, 11, 1)  # the clocks change at 2 AM
ZONES = ["America/New_York", "Australia/Lord_Howe", "Europe/London", "Asia/Kolkata", "America/St_Johns"]


def local(day, hour, minute=0, fold=0):
    return day.replace(hour=hour, minute=minute, tzinfo=NEW_YORK, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("clock", "quiet"), [((20, 59), False), ((21, 0), True), ((23, 59), True), ((7, 59), True), ((8, 0), False)]
)
def test_quiet_hours_include_their_start_and_exclude_their_end(clock, quiet):
    assert is_quiet(local(datetime(2026, 12, 1), *clock), NIGHT) is quiet


def test_no_hour_is_quiet_when_start_and_end_are_equal():
    never = QuietHours(time(8), time(8), NEW_YORK)

    assert not any(is_quiet(local(datetime(2026, 12, 1), hour), never) for hour in range(24))


@pytest.mark.parametrize(
    ("day", "night_in_hours"),
    [(datetime(2026, 12, 1), 11), (SPRING, 10), (AUTUMN, 12)],
    ids=["plain", "spring", "autumn"],
)
def test_quiet_hours_end_at_eight_local_time_when_the_night_is_shorter_or_longer(day, night_in_hours):
    evening = local(day - timedelta(days=1), 21)

    assert end_of_quiet_hours(evening, NIGHT) == local(day, 8) == evening + timedelta(hours=night_in_hours)


@pytest.mark.parametrize("day", [SPRING, AUTUMN], ids=["spring", "autumn"])
def test_early_reminder_is_sent_the_evening_before_when_the_clocks_change_that_night(day):
    assert moved_before_quiet_hours(local(day, 6), NIGHT) == local(day - timedelta(days=1), 20, 30)
    assert moved_before_quiet_hours(local(day, 8), NIGHT) == local(day, 8)


def test_quiet_hours_end_inside_an_hour_that_is_repeated_or_skipped():
    until_half_past_one = QuietHours(time(21), time(1, 30), NEW_YORK)
    until_half_past_two = QuietHours(time(21), time(2, 30), NEW_YORK)

    assert end_of_quiet_hours(local(AUTUMN, 0), until_half_past_one) == local(AUTUMN, 1, 30, fold=1)
    assert end_of_quiet_hours(local(SPRING, 0), until_half_past_two) == local(SPRING, 3, 30)


clock_times = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))
minutes_near_clock_changes = st.one_of(
    st.integers(0, 365 * 24 * 60),
    st.integers(72 * 24 * 60, 75 * 24 * 60),  # around March 14, 2027
    st.integers(304 * 24 * 60, 306 * 24 * 60),
).map(lambda minutes: datetime(2027, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))


@given(instant=minutes_near_clock_changes, start=clock_times, end=clock_times, zone=st.sampled_from(ZONES))
def test_end_of_quiet_hours_agrees_with_a_minute_by_minute_search(instant, start, end, zone):
    hours = QuietHours(start, end, ZoneInfo(zone))
    ended = end_of_quiet_hours(instant, hours)

    if not is_quiet(instant, hours):
        assert ended == instant
        return
    assert not is_quiet(ended, hours)
    walked = instant
    while is_quiet(walked, hours):
        walked += timedelta(minutes=1)
    # Later than the search only where the clocks change at the end of the quiet hours.
    assert timedelta(0) <= ended - walked <= (timedelta(hours=2) if clocks_change_near(walked, zone) else timedelta(0))


def clocks_change_near(instant, zone):
    before, after = ((instant + timedelta(hours=hours)).astimezone(ZoneInfo(zone)).utcoffset() for hours in (-3, 3))
    return before != after


@given(due_at=minutes_near_clock_changes, zone=st.sampled_from(ZONES))
def test_reminder_moved_before_the_night_is_sent_before_it_and_never_later_than_due(due_at, zone):
    hours = QuietHours(time(21), time(8), ZoneInfo(zone))
    moved = moved_before_quiet_hours(due_at, hours)

    assert moved <= due_at
    assert due_at - moved <= timedelta(hours=13)
    assert not is_quiet(moved, hours)


@given(due_at=minutes_near_clock_changes, minutes=st.integers(0, 24 * 60), zone=st.sampled_from(ZONES))
def test_message_planned_around_the_night_can_be_sent_before_its_deadline(due_at, minutes, zone):
    hours, by = QuietHours(time(21), time(8), ZoneInfo(zone)), due_at + timedelta(minutes=minutes)
    planned = planned_around_quiet_hours(due_at, hours, by=by)

    assert end_of_quiet_hours(planned, hours) <= by
    assert planned == due_at or not is_quiet(planned, hours)
