"""Limits of a date, fixed or relative to today ("today() - 18 years"). Pure.

https://hl7.org/fhir/extensions/StructureDefinition-minValue.html, with cqf-calculatedValue
"""

import re
from calendar import monthrange
from datetime import date, datetime, time, timedelta

from assessments.questionnaire.typed_answers import write_day

RELATIVE = re.compile(r"(?:today|now)\(\)(?:\s*([+-])\s*([0-9]{1,4})\s*(day|week|month|year)s?)?")
FIRST_YEAR, LAST_YEAR = 1900, 2100  # allowed in answers


def is_relative(limit: str | None) -> bool:
    """Return whether `limit` is relative to today."""
    return limit is not None and RELATIVE.fullmatch(limit) is not None


def resolve_limit(limit: str, *, now: datetime) -> date:
    """Return the day of a relative `limit`, counted from the date of `now`, which must be in the clinic's zone.

    Raises ValueError for a fixed limit.
    """
    found = RELATIVE.fullmatch(limit)
    if found is None:
        raise ValueError(f"{limit!r} is not a relative limit")
    sign, number, unit = found.groups()
    today = now.date()
    if not number:
        return today
    count = int(number) * (1 if sign == "+" else -1)
    if unit in ("day", "week"):
        return today + timedelta(days=count * (7 if unit == "week" else 1))
    return _add_months(today, count * (12 if unit == "year" else 1))


def as_moment(kind: str, day: date, *, is_upper: bool) -> date:
    """Return `day` as a limit for answers of the type `kind`: the day for "date", its start or end for "dateTime"."""
    return day if kind == "date" else datetime.combine(day, time.max if is_upper else time.min)


def describe_limit(limit: str, *, now: datetime | None, is_upper: bool) -> str:
    """Return the error text for a day beyond `limit`, such as "This day is in the past. Choose today or later."

    Without `now`, the text for a relative limit does not name the day of the limit.
    """
    direction = "earlier" if is_upper else "later"
    found = RELATIVE.fullmatch(limit)
    if found is None:
        day = datetime.fromisoformat(limit).date()
    elif not found[2]:
        return f"This day is in the {'future' if is_upper else 'past'}. Choose today or {direction}."
    elif now is None:
        return f"Choose an {direction} day." if is_upper else f"Choose a {direction} day."
    else:
        day = resolve_limit(limit, now=now)
    return f"This day is too {'late' if is_upper else 'early'}. Choose {write_day(day)} or {direction}."


def _add_months(day: date, count: int) -> date:
    months = day.year * 12 + day.month - 1 + count
    year, month = min(max(months // 12, 1), 9999), months % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
