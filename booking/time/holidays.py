"""US federal holidays (5 U.S.C. 6103), by rule. Pure.

A holiday on a Saturday is observed on the Friday before, one on a Sunday on the Monday after.
"""

from dataclasses import dataclass
from datetime import date, timedelta

MONDAY, THURSDAY, SATURDAY, SUNDAY = 0, 3, 5, 6


@dataclass(frozen=True, order=True, slots=True)
class Holiday:
    """A holiday; `on` is the day on which it is observed."""

    on: date
    name: str


def federal_holidays(year: int) -> list[Holiday]:
    """Return the holidays of `year`, sorted by the day on which they are observed.

    New Year's Day can be observed in the year before.
    """
    fixed = {
        "New Year’s Day": date(year, 1, 1),
        "Juneteenth": date(year, 6, 19),
        "Independence Day": date(year, 7, 4),
        "Veterans Day": date(year, 11, 11),
        "Christmas Day": date(year, 12, 25),
    }
    floating = {
        "Martin Luther King Jr. Day": _nth(3, MONDAY, year, 1),
        "Washington’s Birthday": _nth(3, MONDAY, year, 2),
        "Memorial Day": _last_monday_of_may(year),
        "Labor Day": _nth(1, MONDAY, year, 9),
        "Columbus Day": _nth(2, MONDAY, year, 10),
        "Thanksgiving Day": _nth(4, THURSDAY, year, 11),
    }
    holidays = [Holiday(_observed(day), name) for name, day in fixed.items()]
    return sorted(holidays + [Holiday(day, name) for name, day in floating.items()])


def holidays_between(first_day: date, last_day: date) -> list[Holiday]:
    """Return the holidays observed from `first_day` to `last_day` inclusive, sorted."""
    years = range(first_day.year, last_day.year + 2)  # the next New Year's Day may be observed in December
    return sorted(
        holiday for year in years for holiday in federal_holidays(year) if first_day <= holiday.on <= last_day
    )


def _nth(number: int, weekday: int, year: int, month: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def _last_monday_of_may(year: int) -> date:
    last = date(year, 5, 31)
    return last - timedelta(days=(last.weekday() - MONDAY) % 7)


def _observed(day: date) -> date:
    if day.weekday() == SATURDAY:
        return day - timedelta(days=1)
    return day + timedelta(days=1) if day.weekday() == SUNDAY else day
