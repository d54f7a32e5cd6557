"""Parse what people type: text, numbers, days and times. Pure.

static/js/intake.js parses the same way, so that a page shows the questions that the server asks;
tests/assessments/condition_cases.py has the cases for both.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

from clinic.practice.values.numbers import LONGEST_NUMBER, read_digits

# Control characters except tabs and line ends, and invisible ones, such as those that change the text direction.
_CONTROLS = (code for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n\r")
_INVISIBLE = (0x200B, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
UNSEEN = dict.fromkeys((*_CONTROLS, *_INVISIBLE))
LINE_ENDS = re.compile(r"\r\n?|[\u2028\u2029]")

NUMBER_CHARACTERS = "0123456789.,¼½¾/+- "
# Text around a number: how sure the patient is ("about"), or how often ("a week"). Such an answer is refused, and
# the number alone is suggested.
HEDGES = re.compile(
    r"^(?:(?:about|around|approximately|approx\.?|roughly|maybe|circa|ca\.|~)\s*)+"
    r"|\s*(?:or so|ish|approximately|approx\.?|roughly|maybe|(?:a|per|each|every) week|/ ?week|weekly)$",
    re.IGNORECASE,
)

DATE_FORMATS = (
    *("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y", "%m-%d-%Y", "%m-%d-%y", "%m.%d.%Y"),
    *("%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y", "%d %b %Y", "%d %B %Y"),
)
TIME_FORMATS = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M%p", "%I %p", "%I%p")
CENTURY_TURNS = 69  # 68 is 2068, 69 is 1969, as in POSIX


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measurement. `size` is in the base unit of its `kind`."""

    kind: str
    size: Decimal
    spellings: tuple[str, ...]


UNITS = (
    Unit("length", Decimal("1609.344"), ("miles", "mile", "mi", "mi.", "[mi_us]", "[mi_i]")),
    Unit("length", Decimal(1000), ("km", "kms", "km.", "k", "kilometers", "kilometer", "kilometres", "kilometre")),
    Unit("length", Decimal(1), ("m", "meters", "meter", "metres", "metre")),
    Unit("length", Decimal("0.3048"), ("feet", "foot", "ft", "ft.", "[ft_i]")),
    Unit("length", Decimal("0.0254"), ("inches", "inch", "in", "in.", "[in_i]")),
    Unit("length", Decimal("0.01"), ("cm", "centimeters", "centimeter", "centimetres", "centimetre")),
    Unit("mass", Decimal(1), ("kg", "kgs", "kilograms", "kilogram", "kilos", "kilo")),
    Unit("mass", Decimal("0.45359237"), ("pounds", "pound", "lb", "lbs", "lb.", "lbs.", "[lb_av]")),
    Unit("time", Decimal(60), ("seconds", "second", "sec", "secs", "s")),
    Unit("time", Decimal(3600), ("minutes", "minute", "min", "mins", "min.")),
    Unit("time", Decimal(216000), ("hours", "hour", "h", "hr", "hrs")),
)


def clean_text(raw: str | None) -> str:
    """Return `raw` without invisible characters and surrounding space, and with plain line feeds."""
    return LINE_ENDS.sub("\n", raw or "").translate(UNSEEN).strip()


def spell_unit(unit: str) -> tuple[str, ...]:
    """Return every spelling of `unit`, in lower case; empty without a unit."""
    name = unit.lower()
    known = next((one.spellings for one in UNITS if name in one.spellings), ())
    return tuple(dict.fromkeys((name, *known, name.removesuffix("s")))) if name else ()


def read_number(text: str, unit: str = "") -> str | None:
    """Return `text` as a plain decimal such as "1000.5"; None for anything else. A unit after it must be `unit`."""
    text = " ".join(text.replace("−", "-").split())
    if (number := read_digits(text)) is not None:
        return number
    digits, typed_unit = _split_unit(text)
    return read_digits(digits) if typed_unit.lower() in spell_unit(unit) else None


def _split_unit(text: str) -> tuple[str, str]:
    """Return the number that `text` begins with and the rest, which may be its unit."""
    unit = text.lstrip(NUMBER_CHARACTERS)
    return text.removesuffix(unit).strip(), unit


def without_hedges(text: str) -> str:
    """Return `text` without hedges such as "about" and "or so" around a number."""
    while (shorter := HEDGES.sub("", text).strip()) != text:
        text = shorter
    return text


def convert_unit(text: str, unit: str) -> str:
    """Convert a number with another unit of the same kind: "20 km is about 12.4 miles". Empty if impossible."""
    digits, typed_unit = _split_unit(without_hedges(" ".join(text.split())))
    number = read_digits(digits)
    wanted, given = (next((one for one in UNITS if name.lower() in one.spellings), None) for name in (unit, typed_unit))
    if not number or len(number) > LONGEST_NUMBER or wanted is None or given is None or wanted.kind != given.kind:
        return ""
    about = (Decimal(number) * given.size / wanted.size).quantize(Decimal("0.1")).normalize()
    return f"{digits}{'' if typed_unit in 'kK' else ' '}{typed_unit} is about {about:f} {unit}"


def read_day(text: str) -> str | None:
    """Return `text` as YYYY-MM-DD; None if it is not a date.

    Years below 100 are mapped to a century by CENTURY_TURNS. A browser's date field turns 11/20/26 into the year 0026.
    """
    for pattern in DATE_FORMATS:
        try:
            day = datetime.strptime(text, pattern).date()  # noqa: DTZ007 (a date, not an instant)
            return day.replace(year=_whole_year(day.year)).isoformat()
        except ValueError:
            continue
    return None


def read_time(text: str) -> str | None:
    """Return `text` as HH:MM; None if it is not a time of day. An ISO time with seconds is returned unchanged."""
    if re.fullmatch(r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?", text):
        return text if _is_time(text) else None
    for pattern in TIME_FORMATS:
        try:
            return datetime.strptime(text.upper().replace(".", ""), pattern).strftime("%H:%M")  # noqa: DTZ007
        except ValueError:
            continue
    return None


def read_day_and_time(text: str) -> str | None:
    """Return `text` as YYYY-MM-DDT and the time as typed; None if that is not a date and an ISO time."""
    day, _, clock = text.replace(" ", "T", 1).partition("T")
    found = read_day(day)
    return f"{found}T{clock}" if found and _is_time(clock) else None


def _whole_year(year: int) -> int:
    return year if year >= 100 else year + (1900 if year >= CENTURY_TURNS else 2000)


def _is_time(text: str) -> bool:
    try:
        time.fromisoformat(text)
    except ValueError:
        return False
    return True


def write_day(day: date) -> str:
    """Return `day` in US format: "3/31/2026"."""
    return f"{day.month}/{day.day}/{day.year}"
