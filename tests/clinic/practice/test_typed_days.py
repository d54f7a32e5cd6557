"""Days that staff type into a search, such as dates of birth."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.practice.values.typed_days import MONTHS, split_days

WRITINGS = [
    lambda day: f"{day.month}/{day.day}/{day.year}",
    lambda day: f"{day:%m-%d-%y}",
    lambda day: day.isoformat(),
    lambda day: f"{MONTHS[day.month - 1].title()} {day.day}, {day.year}",
    lambda day: f"{day.day} {MONTHS[day.month - 1][:3]} {day.year}",
]


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2099, 12, 31)), st.sampled_from(WRITINGS))
def test_any_written_day_is_read_as_one_of_its_meanings(day, write):
    [meant], rest = split_days(f"Maya {write(day)}")
    assert day in meant and rest.split() == ["Maya"]


@given(st.text(alphabet="0123456789/-., MarchJune+()x"))
def test_odd_text_is_split_into_days_and_rest_without_an_error(text):
    assert all(split_days(text)[0])


@pytest.mark.parametrize(
    "text",
    ["555-0142", "(603) 555 0142", "1-603-555-0142", "603.555.0142", "RC-7K3M9Q", "13/13/1988", "Marchand 14, 1988"],
)
def test_numbers_names_and_impossible_days_are_not_days(text):
    assert split_days(text) == ([], text)


def test_month_comes_first_unless_that_is_not_a_date():
    assert split_days("3/4/1988")[0] == [[date(1988, 3, 4)]]
    assert split_days("14/3/1988")[0] == [[date(1988, 3, 14)]]
