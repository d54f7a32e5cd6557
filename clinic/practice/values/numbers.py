"""Parse numbers that people type in the US and in Europe. Pure.

static/js/intake.js parses digits the same way; tests/assessments/condition_cases.py has the cases for both.
"""

import re
from decimal import Decimal

PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_US_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]*)?")
_EUROPEAN_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+,[0-9]+")
_DECIMAL_COMMA = re.compile(r"[+-]?(?:[0-9]+,[0-9]{1,2}|0,[0-9]+)")  # "1,000" is a thousand in the US
_FRACTION = re.compile(r"(?:([0-9]+) ?)?([¼½¾])|(?:([0-9]+) )?(1/4|1/2|3/4)")
_FRACTIONS = {"¼": ".25", "1/4": ".25", "½": ".5", "1/2": ".5", "¾": ".75", "3/4": ".75"}
LONGEST_NUMBER = 20  # characters; a longer number is not normalized


def read_digits(text: str) -> str | None:
    """Return `text` as a plain decimal such as "1000.5"; None if it is not a number or has surrounding whitespace.

    A number that has an exponent, or is longer than LONGEST_NUMBER characters, is not normalized.
    """
    if PLAIN.fullmatch(text):
        plain = text
    elif _US_THOUSANDS.fullmatch(text):
        plain = text.replace(",", "")
    elif _EUROPEAN_THOUSANDS.fullmatch(text):
        plain = text.replace(".", "").replace(",", ".")
    elif _DECIMAL_COMMA.fullmatch(text):
        plain = text.replace(",", ".")
    elif found := _FRACTION.fullmatch(text):
        plain = (found[1] or found[3] or "0") + _FRACTIONS[found[2] or found[4]]
    else:
        return None
    if len(plain) > LONGEST_NUMBER or "e" in plain.lower():
        return plain
    return format(Decimal(plain).normalize() + 0, "f")
