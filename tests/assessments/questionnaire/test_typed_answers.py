"""Text, numbers, dates and times as people type them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from assessments.questionnaire.answer_limits import resolve_limit
from assessments.questionnaire.checking import check_item
from assessments.questionnaire.controls import describe_problem, read_answer
from assessments.questionnaire.model import Item, Option
from assessments.questionnaire.typed_answers import clean_text, convert_unit, read_day, read_number, read_time

NOW = datetime(2026, 12, 1, 14, 0, tzinfo=UTC)
MILES = Item("miles", "decimal", minimum="0", maximum="250", unit="miles")
BEGAN = Item("began", "date", minimum="today() - 2 years", maximum="today()")
RACE = Item("race", "date", minimum="today()", maximum="today() + 3 years")


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("12", "12"),
        (" 7 ", "7"),
        ("12.50", "12.5"),
        ("12,5", "12.5"),
        ("1,000", "1000"),
        ("1,234,567.5", "1234567.5"),
        ("1.000,5", "1000.5"),
        ("½", "0.5"),
        ("6 ½", "6.5"),
        ("6 1/2", "6.5"),
        ("12 miles", "12"),
        ("20 mi", "20"),
        ("20mi.", "20"),
        ("0", "0"),
        ("-0", "0"),
        ("1,00,0", None),
        ("1,0000", None),
        ("61/2", None),
        ("seven", None),
        ("about 12", None),
        ("12-15", None),
        ("12 miles a week", None),
        ("20 km", None),
        ("20k", None),
        ("", None),
    ],
)
def test_number_is_read_as_a_us_runner_means_it_or_not_at_all(typed, number):
    assert read_number(typed, "miles") == number


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("20 km", "Type it in miles: 20 km is about 12.4 miles."),
        ("1,000 m", "Type it in miles: 1,000 m is about 0.6 miles."),
        ("20k", "Type it in miles: 20k is about 12.4 miles."),
        ("10K", "Type it in miles: 10K is about 6.2 miles."),
        ("20 km or so", "Type it in miles: 20 km is about 12.4 miles."),
        ("about 20 km a week", "Type it in miles: 20 km is about 12.4 miles."),
        ("about 12", "Type only the number: 12."),
        ("~12 miles or so", "Type only the number: 12."),
        ("12 miles a week", "Type only the number: 12."),
        ("seven", "Type a number of miles in digits, such as 12 or 6.5."),
        ("20 kg", "Type a number of miles in digits, such as 12 or 6.5."),
        ("300", "Type a number from 0 to 250 miles."),
    ],
)
def test_error_for_a_number_says_what_to_type(typed, words):
    values = read_answer(MILES, typed)
    assert describe_problem(MILES, check_item(MILES, values), values=values) == words


def test_abbreviated_kilometers_are_read_when_kilometers_are_asked_for():
    assert read_number("10k", "km") == read_number("10K", "kilometers") == "10"
    assert read_number("10k", "kg") is None


def test_other_unit_is_converted_only_from_a_number():
    assert convert_unit("many km", "miles") == convert_unit("20 parsecs", "miles") == ""
    assert convert_unit("10 lb", "kg") == "10 lb is about 4.5 kg"


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("11/20/26", "2026-11-20"),
        ("0026-11-20", "2026-11-20"),
        ("0087-04-30", "1987-04-30"),
        ("4/30/1987", "1987-04-30"),
        ("Nov 20, 2026", "2026-11-20"),
        ("20 November 2026", "2026-11-20"),
        ("2/29/24", "2024-02-29"),
        ("20260331", None),
        ("11/20", None),
        ("13/1/2026", None),
        ("tomorrow", None),
    ],
)
def test_date_with_a_short_year_is_in_this_century(typed, day):
    assert read_day(typed) == day


@pytest.mark.parametrize(
    ("typed", "clock"),
    [("14:30", "14:30"), ("2:30 pm", "14:30"), ("2 PM", "14:00"), ("12:05 a.m.", "00:05"), ("25:00", None)],
)
def test_time_is_read_in_12_and_24_hour_form(typed, clock):
    assert read_time(typed) == clock


@pytest.mark.parametrize(
    ("item", "day", "words"),
    [
        (BEGAN, "2045-01-01", "This day is in the future. Choose today or earlier."),
        (BEGAN, "1999-01-01", "This day is too early. Choose 12/1/2024 or later."),
        (RACE, "2020-05-01", "This day is in the past. Choose today or later."),
        (RACE, "2030-05-01", "This day is too late. Choose 12/1/2029 or earlier."),
        (Item("d", "date", minimum="2026-01-01"), "2025-12-31", "This day is too early. Choose 1/1/2026 or later."),
        (
            Item("d", "dateTime", maximum="today()"),
            "2027-01-01T10:00",
            "This day is in the future. Choose today or earlier.",
        ),
        (Item("d", "date"), "1026-11-20", "Type the day as month/day/year, such as 3/31/2026."),
        (Item("d", "dateTime"), "2926-11-20T10:00", "Choose the day and the time."),
    ],
)
def test_error_for_a_date_outside_its_limits_gives_the_limit(item, day, words):
    assert describe_problem(item, check_item(item, [day], now=NOW), values=[day], now=NOW) == words


def test_today_is_the_date_in_the_zone_of_now():
    evening = datetime(2026, 11, 30, 3, 0, tzinfo=UTC).astimezone(ZoneInfo("America/New_York"))
    assert check_item(BEGAN, ["2026-11-29"], now=evening) is None
    assert check_item(RACE, ["2026-11-29"], now=evening) is None
    assert check_item(BEGAN, ["2026-11-30"], now=evening).reason == "above"


@pytest.mark.parametrize(
    ("limit", "day"),
    [
        ("today()", "2026-12-01"),
        ("today() + 2 weeks", "2026-12-15"),
        ("today() - 18 years", "2008-12-01"),
        ("now() + 3 months", "2027-03-01"),
    ],
)
def test_relative_limit_is_calculated_from_today(limit, day):
    assert resolve_limit(limit, now=NOW).isoformat() == day


def test_relative_limit_ends_in_the_last_day_of_a_shorter_month():
    assert resolve_limit("today() + 3 months", now=datetime(2026, 11, 30, 1, tzinfo=UTC)).day == 28


def test_text_is_stored_without_invisible_characters():
    assert clean_text("a\x00b\u202ec\u2066d\ufeff \r\n e\rf\u2028g ") == "abcd \n e\nf\ng"
    assert clean_text("Łukasz 👨‍👩‍👧 \u05d0\u200e") == "Łukasz 👨‍👩‍👧 \u05d0\u200e"


def test_line_ends_count_as_one_character():
    item = Item("hope", "text", max_length=500)
    typed = "\r\n".join(["x" * 23] * 20) + "y" * 21
    assert len(typed) > 500
    assert check_item(item, read_answer(item, typed)) is None


def test_option_that_ends_in_a_space_can_be_chosen():
    item = Item("yes", "choice", options=(Option("Yes ", "Yes "), Option("No", "No")))
    assert read_answer(item, "Yes ") == read_answer(item, "Yes") == ["Yes "]
    assert check_item(item, ["Yes "]) is None
