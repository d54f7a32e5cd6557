"""Our holidays match the published list (opm.gov), for years whose holidays fall on different weekdays."""

from datetime import date

import pytest

from booking.time.holidays import federal_holidays, holidays_between

PUBLISHED = {
    2026: "01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-12 11-11 11-26 12-25",
    2027: "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24",
    2030: "01-01 01-21 02-18 05-27 06-19 07-04 09-02 10-14 11-11 11-28 12-25",
}


@pytest.mark.parametrize("year", PUBLISHED)
def test_holidays_are_those_published(year):
    assert [f"{holiday.on:%m-%d}" for holiday in federal_holidays(year)] == PUBLISHED[year].split()


def test_new_years_day_is_observed_in_december_when_it_is_a_saturday():
    last = holidays_between(date(2027, 12, 1), date(2027, 12, 31))
    assert [(holiday.on, holiday.name) for holiday in last] == [
        (date(2027, 12, 24), "Christmas Day"),
        (date(2027, 12, 31), "New Year’s Day"),
    ]


@pytest.mark.parametrize("year", range(2026, 2060))
def test_every_year_has_eleven_and_none_on_a_weekend(year):
    holidays = federal_holidays(year)
    assert len({holiday.name for holiday in holidays}) == 11
    assert all(holiday.on.weekday() < 5 for holiday in holidays)
