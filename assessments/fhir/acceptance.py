"""Check new files, in addition to `check_structure`. Stored questionnaires skip these checks, so they keep working."""

import re
from datetime import UTC, datetime

from assessments.fhir_json.names import MAX_DECIMALS, extension_value, walk_items
from assessments.questionnaire.answer_limits import is_relative
from assessments.questionnaire.checking import limit_of
from assessments.questionnaire.model import InvalidQuestionnaire, Item, Questionnaire
from assessments.questionnaire.structure import chain_lengths
from clinic.practice.values.numbers import PLAIN

LONGEST_LINK_ID = 255  # characters; R5 warns of longer ones (que-15): https://hl7.org/fhir/R5/questionnaire.html
SHOWN = 40  # errors show this many characters of a linkId that is too long
# The longest chain of items that one item depends on. Enablement follows it recursively, with four stack frames per
# item. Two nested repeating groups with the maximum number of copies make a chain of 61.
LONGEST_CHAIN = 100
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"
LIMITS = {
    "integer": re.compile(r"[+-]?[0-9]+"),
    "decimal": PLAIN,
    "quantity": PLAIN,
    "date": re.compile(_DAY),
    "dateTime": re.compile(rf"{_DAY}(?:T{_TIME}(?:Z|[+-][0-9]{{2}}:[0-9]{{2}})?)?"),
    "time": re.compile(_TIME),
}
# Two relative limits are compared as of each of these days, because "1 month" is 28 to 31 days.
MONTHS = tuple(datetime(2027, month, 1, tzinfo=UTC) for month in range(1, 13))


def check_new(definition: dict, parsed: Questionnaire) -> None:
    """Raise InvalidQuestionnaire for the first error in a new file. `parsed` is `definition` (FHIR R4), parsed."""
    if not any(item.is_answerable and not item.is_added for item in parsed.items.values()):
        raise InvalidQuestionnaire("it has no questions that a patient can answer")
    for item in parsed.items.values():
        if not (item.source or item.is_added):
            _check_link_id(item)
            _check_limits(item)
            _check_counts(item)
    for page in parsed.pages:
        _check_address(page)
    for raw in walk_items(definition):
        _check_decimals(raw)
    for link_id, length in chain_lengths(parsed).items():
        if length > LONGEST_CHAIN:
            fault = f"its condition depends on more than {LONGEST_CHAIN} others in a row"
            raise InvalidQuestionnaire(fault, parsed.items[link_id].exported_id)


def _check_link_id(item: Item) -> None:
    """Refuse a linkId that is too long, or that has a line break. Browsers send line breaks in field names as CRLF."""
    name = item.link_id if len(item.link_id) <= LONGEST_LINK_ID else f"{item.link_id[:SHOWN]}…"
    if len(item.link_id) > LONGEST_LINK_ID:
        raise InvalidQuestionnaire(f"its linkId is longer than {LONGEST_LINK_ID} characters", name)
    if "\n" in item.link_id or "\r" in item.link_id:
        raise InvalidQuestionnaire("its linkId has a line break", name)


def _check_address(page: Item) -> None:
    """Refuse a page whose address would have a dot segment ("." or "..").

    Clients remove dot segments (RFC 3986, 5.2.4); browsers do so even if they are percent-encoded (WHATWG URL). All
    other characters of a linkId, including slashes, are percent-encoded or kept.
    """
    if not {".", ".."}.isdisjoint(page.link_id.split("/")):
        raise InvalidQuestionnaire(
            "its linkId cannot be part of the page's address: it has “.” or “..” between slashes", page.exported_id
        )


def _check_limits(item: Item) -> None:
    for limit in (item.minimum, item.maximum):
        if limit is None or (is_relative(limit) and item.type in ("date", "dateTime")):
            continue
        if item.type not in LIMITS or not LIMITS[item.type].fullmatch(limit):
            raise InvalidQuestionnaire(f"the limit {limit!r} does not fit the type {item.type}", item.link_id)
    if _is_reversed(item):
        raise InvalidQuestionnaire(f"its minValue {item.minimum} is above its maxValue {item.maximum}", item.link_id)


def _is_reversed(item: Item) -> bool:
    """Return whether no answer can be within the limits.

    A fixed and a relative limit are not reversed, because answers may be within them on some days.
    """
    if is_relative(item.minimum) != is_relative(item.maximum):
        return False
    for now in MONTHS:
        lowest, highest = (limit_of(item, is_upper=is_upper, now=now) for is_upper in (False, True))
        if lowest is None or highest is None or not lowest > highest:
            return False
    return True


def _check_counts(item: Item) -> None:
    fewest, most = item.fewest or 0, item.most
    if item.max_length is not None and item.max_length < 1:
        raise InvalidQuestionnaire("its maxLength is less than 1", item.link_id)
    if fewest < 0:
        raise InvalidQuestionnaire("its minOccurs is negative", item.link_id)
    if most is not None and most < 1:
        raise InvalidQuestionnaire("its maxOccurs is less than 1", item.link_id)
    if most is not None and fewest > most:
        raise InvalidQuestionnaire(f"its minOccurs {fewest} is above its maxOccurs {most}", item.link_id)
    if item.type == "choice" and item.repeats and fewest > len(item.options):
        raise InvalidQuestionnaire(f"its minOccurs {fewest} is above the number of its options", item.link_id)


def _check_decimals(raw: dict) -> None:
    places = extension_value(raw, MAX_DECIMALS)
    if places is not None and (isinstance(places, bool) or not isinstance(places, int) or places < 0):
        raise InvalidQuestionnaire(f"its maxDecimalPlaces {places!r} is not a whole number of 0 or more", raw["linkId"])
