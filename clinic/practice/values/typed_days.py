"""Find days, such as dates of birth, in text that staff type. Pure."""

import re
from contextlib import suppress
from datetime import date

MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
CENTURIES = (1900, 2000)  # of a year with two digits

_START, _END = r"(?<![\w.+\-/])", r"(?![\w\-/])"
_NAME = "|".join(rf"{month[:3]}(?:{month[3:]}|t)?" for month in MONTHS)  # "sept", too
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_PATTERNS = tuple(
    re.compile(_START + pattern + _END, re.IGNORECASE)
    for pattern in (
        r"(?P<year>(?:19|20)\d\d)(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})",
        r"(?P<month>\d{1,2})(?P<mark>[-/.])(?P<day>\d{1,2})(?P=mark)(?P<year>\d{4}|\d\d)",
        rf"(?P<name>{_NAME})\.?\s+{_DAY}(?:\s*,\s*|\s+)(?P<year>\d{{4}})",
        rf"{_DAY}\s+(?:of\s+)?(?P<name>{_NAME})\.?(?:\s*,\s*|\s+)(?P<year>\d{{4}})",
    )
)


def split_days(text: str) -> tuple[list[list[date]], str]:
    """Return (days in `text`, the rest of the text). A day is the list of the dates that it may mean.

    Reads "3/14/1988", "03-14-88", "1988-03-14", "March 14, 1988" and "14 Mar 1988". The month comes first, unless that
    is not a date. A year with two digits may be in either century. Text that is not a date, such as "13/13/1988" or a
    phone number, remains in the rest.
    """
    days: list[list[date]] = []

    def take(found: re.Match[str]) -> str:
        meant = _dates(found.groupdict())
        days.extend([meant] if meant else [])
        return " " if meant else found[0]

    for pattern in _PATTERNS:
        text = pattern.sub(take, text)
    return days, text


def _dates(parts: dict[str, str]) -> list[date]:
    day, year = int(parts["day"]), int(parts["year"])
    years = [year] if year > 99 else [century + year for century in CENTURIES]
    if "name" in parts:
        names = [month[:3] for month in MONTHS]
        return _existing(years, names.index(parts["name"][:3].lower()) + 1, day)
    month = int(parts["month"])
    return _existing(years, month, day) or _existing(years, day, month)


def _existing(years: list[int], month: int, day: int) -> list[date]:
    found = []
    for year in years:
        with suppress(ValueError):
            found.append(date(year, month, day))
    return found
