"""Parse an uploaded JSON file, and refuse what Postgres, FHIR or another reader would not accept. Pure.

RFC 8259 requires UTF-8; a byte order mark is ignored. FHIR forbids duplicate keys, and control characters other
than tabs and line ends.
"""

import json
import math
from typing import NoReturn

MOST_BYTES = 3_000_000
DEEPEST = 40  # levels
LONGEST_NUMBER = 40  # characters


class JsonRefused(ValueError):
    """The file is not a JSON object that can be stored. The message is the reason.

    It is not an InvalidQuestionnaire, because files with responses are parsed here, too.
    """


def load_json(content: bytes) -> dict:
    """Return the JSON object in `content`. Raises JsonRefused."""
    if len(content) > MOST_BYTES:
        raise JsonRefused(f"the file is larger than {MOST_BYTES // 1000} kB")
    text = _decode(content)
    if not text.strip():
        raise JsonRefused("the file is empty")
    try:
        read = json.loads(
            text,
            parse_int=_read_integer,
            parse_float=_read_float,
            parse_constant=_refuse_constant,
            object_pairs_hook=_read_object,
        )
    except JsonRefused:
        raise
    except RecursionError:
        raise JsonRefused(f"the file is nested more than {DEEPEST} levels deep") from None
    except ValueError:
        raise JsonRefused("the file is not JSON") from None
    if not isinstance(read, dict):
        raise JsonRefused("the file is not a FHIR resource: it does not begin with {")
    _check(read)
    return read


def _decode(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\x00"
    if "\x00" in text:  # as in UTF-16 without a byte order mark
        raise JsonRefused("the file is not UTF-8; save it as UTF-8 and try again")
    return text


def _read_integer(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise JsonRefused("the file has a number that is too long")
    return int(text)


def _read_float(text: str) -> float:
    number = float(text)
    if len(text) > LONGEST_NUMBER or not math.isfinite(number):
        raise JsonRefused("the file has a number that is too large or too long")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise JsonRefused(f"the file is not JSON: {name} is not a number")


def _read_object(pairs: list[tuple[str, object]]) -> dict:
    read = {}
    for name, value in pairs:
        if name in read:
            raise JsonRefused(f"the file has the key {name[:40]!a} twice in one object")
        read[name] = value
    return read


def _check(read: dict) -> None:
    """Check depth and texts level by level, without recursion."""
    level, values = 1, [read]
    while values:
        if level > DEEPEST:
            raise JsonRefused(f"the file is nested more than {DEEPEST} levels deep")
        for value in values:
            if isinstance(value, str):
                _check_text(value)
        values = [part for value in values for part in _parts(value)]
        level += 1


def _parts(value: object) -> list:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else []


def _check_text(text: str) -> None:
    if text.isprintable():
        return
    for one in text:
        if "\ud800" <= one <= "\udfff":
            raise JsonRefused("the file has half a character (a lone surrogate) in a text")
        if (one < " " and one not in "\t\n\r") or "\x7f" <= one <= "\x9f":
            raise JsonRefused("the file has a control character in a text")
