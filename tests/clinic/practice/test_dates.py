"""Dates, times and instants as text: our formatter, and Django's formats, which match it."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from django.utils.formats import date_format, time_format

from clinic.practice.values.dates import (
    format_date,
    format_day,
    format_day_and_time,
    format_days,
    format_hours,
    format_instant,
    format_interval,
    format_named_time,
    format_near_day,
    format_short_day,
    format_time,
    format_utc,
    format_zone,
)

NEW_YORK, KATHMANDU = ZoneInfo("America/New_York"), ZoneInfo("Asia/Kathmandu")
TODAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("day", "full", "short"),
    [
        (date(2026, 12, 1), "Tuesday, December 1", "Tue, Dec 1"),
        (date(2026, 9, 30), "Wednesday, September 30", "Wed, Sep 30"),
        (date(2026, 12, 31), "Thursday, December 31", "Thu, Dec 31"),
        (date(2027, 1, 1), "Friday, January 1, 2027", "Fri, Jan 1, 2027"),
        (date(2025, 12, 31), "Wednesday, December 31, 2025", "Wed, Dec 31, 2025"),
    ],
)
def test_date_has_a_year_when_it_is_not_the_current_one(day, full, short):
    assert (format_day(day, today=TODAY), format_short_day(day, today=TODAY)) == (full, short)


def test_date_has_a_year_when_the_current_one_is_unknown():
    assert format_day(TODAY) == "Monday, November 30, 2026"
    assert format_short_day(TODAY) == "Mon, Nov 30, 2026"
    assert format_days(TODAY, date(2027, 1, 2), today=TODAY) == "Mon, Nov 30 – Sat, Jan 2, 2027"


@pytest.mark.parametrize(
    ("clock", "text", "named"),
    [
        (time(0), "12:00 AM", "midnight"),
        (time(0, 5), "12:05 AM", "12:05 AM"),
        (time(9), "9:00 AM", "9:00 AM"),
        (time(11, 59), "11:59 AM", "11:59 AM"),
        (time(12), "12:00 PM", "noon"),
        (time(12, 30), "12:30 PM", "12:30 PM"),
        (time(23, 59), "11:59 PM", "11:59 PM"),
    ],
)
def test_times_of_day_are_formatted(clock, text, named):
    assert (format_time(clock), format_named_time(clock)) == (text, named)


@pytest.mark.parametrize(
    ("starts", "ends", "text"),
    [
        (datetime(2026, 11, 11), datetime(2026, 11, 12), "Wed, Nov 11, 2026"),
        (datetime(2026, 11, 26), datetime(2026, 11, 28), "Nov 26 – 27, 2026"),
        (datetime(2026, 11, 30), datetime(2026, 12, 3), "Nov 30 – Dec 2, 2026"),
        (datetime(2026, 12, 31), datetime(2027, 1, 2), "Dec 31, 2026 – Jan 1, 2027"),
        (datetime(2026, 11, 11, 8), datetime(2026, 11, 11, 12), "Wed, Nov 11, 2026, 8:00 AM – noon"),
        (datetime(2026, 11, 11, 17), datetime(2026, 11, 12), "Wed, Nov 11, 2026, 5:00 PM – midnight"),
        (
            datetime(2026, 11, 11, 17),
            datetime(2026, 11, 13, 9, 30),
            "Wed, Nov 11, 2026, 5:00 PM – Fri, Nov 13, 2026, 9:30 AM",
        ),
        (datetime(2026, 11, 11), datetime(2026, 11, 12, 9), "Wed, Nov 11, 2026, 12:00 AM – Thu, Nov 12, 2026, 9:00 AM"),
    ],
)
def test_whole_days_are_written_as_dates(starts, ends, text):
    assert format_interval(starts, ends) == text


def test_opening_hours_name_noon_and_midnight():
    assert format_hours(time(8), time(12)) == "8:00 AM – noon"
    assert format_hours(time(13), time(0)) == "1:00 PM – midnight"


@pytest.mark.parametrize(
    ("instant", "zone", "name"),
    [
        (datetime(2026, 11, 1, 5, 30, tzinfo=UTC), "America/New_York", "EDT"),
        (datetime(2026, 11, 1, 6, 30, tzinfo=UTC), "America/New_York", "EST"),
        (datetime(2026, 12, 1, 14, tzinfo=UTC), "Asia/Kathmandu", "UTC+05:45"),
        (datetime(2026, 12, 1, 14, tzinfo=UTC), "America/Sao_Paulo", "UTC-03:00"),
    ],
)
def test_zones_are_written_as_abbreviations_or_utc_offsets(instant, zone, name):
    assert format_zone(instant.astimezone(ZoneInfo(zone))) == name


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2026, 3, 8, 6, 59, tzinfo=UTC), "Sun, Mar 8, 1:59 AM"),
        (datetime(2026, 3, 8, 7, tzinfo=UTC), "Sun, Mar 8, 3:00 AM"),
        (datetime(2026, 11, 1, 5, 30, tzinfo=UTC), "Sun, Nov 1, 1:30 AM"),
        (datetime(2026, 11, 1, 6, 30, tzinfo=UTC), "Sun, Nov 1, 1:30 AM"),
        (datetime(2027, 1, 1, 4, 59, tzinfo=UTC), "Thu, Dec 31, 11:59 PM"),
        (datetime(2027, 1, 1, 5, tzinfo=UTC), "Fri, Jan 1, 2027, 12:00 AM"),
    ],
)
def test_instants_are_written_correctly_when_clocks_and_years_change(instant, text):
    assert format_instant(instant, NEW_YORK, now=datetime(2026, 11, 30, tzinfo=UTC)) == text


def test_current_year_of_an_instant_is_the_year_in_its_zone():
    instant = datetime(2027, 1, 1, 2, tzinfo=UTC)
    assert format_instant(instant, NEW_YORK, now=instant) == "Thu, Dec 31, 9:00 PM"
    assert format_instant(instant, KATHMANDU, now=instant) == "Fri, Jan 1, 7:45 AM"
    assert format_utc(instant.astimezone(NEW_YORK)) == "Jan 1, 2027, 2:00 AM UTC"


@pytest.mark.parametrize(
    ("now", "text"),
    [
        (datetime(2027, 1, 1, 5, tzinfo=UTC), "today"),
        (datetime(2027, 1, 1, 4, 59, tzinfo=UTC), "tomorrow"),
        (datetime(2026, 12, 31, 4, 59, tzinfo=UTC), "on Friday, January 1, 2027"),
    ],
)
def test_today_and_tomorrow_follow_the_readers_zone(now, text):
    assert format_near_day(datetime(2027, 1, 1, 15, tzinfo=UTC), now=now, zone=NEW_YORK) == text


@pytest.mark.parametrize("instant", [datetime(2026, 9, 1), datetime(2026, 12, 31, 12, 5), datetime(2027, 5, 9, 23, 59)])
def test_djangos_formats_agree_with_ours(instant):
    assert date_format(instant) == format_date(instant)
    assert time_format(instant.time()) == format_time(instant)
    assert date_format(instant, "DATETIME_FORMAT") == format_day_and_time(instant)
