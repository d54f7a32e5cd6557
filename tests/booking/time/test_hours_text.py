"""Opening hours as the home page says them."""

from datetime import date, time

from booking.time.hours_text import HoursLine, week_in_words
from booking.time.opening_hours import WeeklyHours

ON = date(2026, 11, 24)


def hours(weekday, opens, closes, valid_from=None, valid_until=None):
    return WeeklyHours(weekday, time.fromisoformat(opens), time.fromisoformat(closes), valid_from, valid_until)


def test_week_when_days_share_hours_and_have_lunch():
    week = [hours(day, "08:00", "12:00") for day in range(5)] + [hours(day, "13:00", "17:00") for day in range(5)]

    assert week_in_words(week, on=ON) == [
        HoursLine("Mon–Fri", "8:00 AM – noon, 1:00 PM – 5:00 PM"),
        HoursLine("Sat–Sun", "closed"),
    ]


def test_week_when_one_day_differs_and_two_therapists_overlap():
    week = [hours(0, "08:00", "12:00"), hours(0, "11:00", "15:30"), hours(2, "12:00", "19:00")]

    assert week_in_words(week, on=ON) == [
        HoursLine("Mon", "8:00 AM – 3:30 PM"),
        HoursLine("Tue", "closed"),
        HoursLine("Wed", "noon – 7:00 PM"),
        HoursLine("Thu–Sun", "closed"),
    ]


def test_week_when_hours_are_over_or_not_yet_in_force():
    week = [hours(0, "08:00", "12:00", valid_until=date(2026, 11, 23)), hours(0, "09:00", "10:00", date(2026, 11, 25))]

    assert week_in_words(week, on=ON) == []


def test_week_when_hours_end_at_midnight():
    week = [
        hours(0, "22:00", "00:00"),
        hours(1, "00:00", "02:00"),
        hours(2, "00:00", "00:00"),
        hours(3, "20:00", "00:00"),
        hours(3, "18:00", "21:00"),
        hours(3, "22:00", "23:00"),
    ]

    assert week_in_words(week, on=ON)[:4] == [
        HoursLine("Mon", "10:00 PM – midnight"),
        HoursLine("Tue", "midnight – 2:00 AM"),
        HoursLine("Wed", "open all day"),
        HoursLine("Thu", "6:00 PM – midnight"),
    ]
