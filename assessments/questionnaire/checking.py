"""Check answers: whether required ones are given, and their types, limits and options. Pure."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from assessments.questionnaire.answer_limits import FIRST_YEAR, LAST_YEAR, as_moment, is_relative, resolve_limit
from assessments.questionnaire.enablement import enabled_items
from assessments.questionnaire.model import ORDERED_TYPES, TEXT_TYPES, Comparable, Item, Questionnaire, comparable
from assessments.questionnaire.patterns import PatternUnsupported, fits_pattern

LENGTH_OF_DAY = len("2026-01-01")
LONGEST_TEXT = 2000  # characters, if the definition sets no limit


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem with the answer to one question.

    `reason`: required, type, option, alone (an exclusive option with others), one (several answers to a question that
    allows one), few, many (answers), below, above, long, pattern, refused (an option that is not accepted).
    """

    link_id: str
    reason: str


def check_page(
    questionnaire: Questionnaire,
    page: Item,
    answers: dict[str, list],
    *,
    now: datetime | None = None,
    stored: dict[str, list] | None = None,
) -> list[Problem]:
    """Return the problems on `page`, in the order asked.

    Questions that are disabled under `answers` or that patients cannot answer are skipped.

    An answer that is already `stored` is not checked against limits relative to `now`, because it was within them when
    it was given. For example, a past race day must not block another change.
    """
    enabled = enabled_items(questionnaire, answers)
    problems = []
    for item in (item for item in page.walk() if item.is_answerable and item.link_id in enabled):
        values = answers.get(item.link_id, [])
        is_new = values != (stored or {}).get(item.link_id)
        if problem := check_item(item, values, now=now if is_new else None):
            problems.append(problem)
    return problems


def check_item(item: Item, values: list, *, now: datetime | None = None) -> Problem | None:
    """Return the problem with `values` as the answer to `item`, or None. Without `now`, ignore relative limits."""
    if not values or (item.layout == "agree" and values != [True]):
        return Problem(item.link_id, "required") if item.is_required else None
    if len(values) > 1 and not item.repeats:
        return Problem(item.link_id, "one")
    if item.repeats and len(values) < (item.fewest or 0):
        return Problem(item.link_id, "few")
    if item.repeats and item.most is not None and len(values) > item.most:
        return Problem(item.link_id, "many")
    alone = {option.code for option in item.options if option.is_exclusive}
    if len(values) > 1 and any(value in alone for value in values if isinstance(value, str)):
        return Problem(item.link_id, "alone")
    reason = next((reason for value in values if (reason := _check_value(item, value, now))), "")
    return Problem(item.link_id, reason) if reason else None


def keep_positives(item: Item, values: list) -> list:
    """Return `values` without exclusive options ("none of these") if another option is chosen, too.

    Thus a checked warning sign always counts.
    """
    alone = {option.code for option in item.options if option.is_exclusive}
    positives = [value for value in values if not isinstance(value, str) or value not in alone]
    return positives or values


def keep_fitting(item: Item, values: list, *, now: datetime | None = None) -> list:
    """Return the answers in `values` to store: the valid ones, after `keep_positives`.

    If several options may be chosen, every valid one is kept, whatever the problem is. Otherwise it is all or nothing.
    """
    positives = keep_positives(item, values)
    if check_item(item, positives, now=now) is None:
        return positives
    return [value for value in positives if not _check_value(item, value, now)] if item.repeats and item.options else []


def _check_value(item: Item, value: object, now: datetime | None) -> str:
    if item.type in ("choice", "open-choice"):
        return _check_choice(item, value)
    if item.type in TEXT_TYPES:
        return _check_text(item, value)
    return _check_ordered(item, value, now)


def _check_text(item: Item, value: object) -> str:
    if not isinstance(value, str) or (item.type == "url" and not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:\S+", value)):
        return "type"
    if len(value) > longest_text(item):
        return "long"
    return "" if not item.pattern or _fits(item.pattern, value) else "pattern"


def longest_text(item: Item) -> int:
    """Return the maximum length of an answer to `item`, in characters. With a pattern, it is at most LONGEST_TEXT."""
    longest = item.max_length or LONGEST_TEXT
    return min(longest, LONGEST_TEXT) if item.pattern else longest


def _fits(pattern: str, text: str) -> bool:
    """Return whether `text` matches `pattern`. Ignore unsupported patterns, which older imports accepted."""
    try:
        return fits_pattern(pattern, text)
    except PatternUnsupported:
        return True


def _check_choice(item: Item, value: object) -> str:
    if isinstance(value, dict):
        text = value.get("text")
        if item.type != "open-choice" or not isinstance(text, str) or not text:
            return "option"
        return "long" if len(text) > (item.max_length or LONGEST_TEXT) else ""
    if value in dict(item.refused):
        return "refused"
    return "" if any(option.code == value for option in item.options) else "option"


def _check_ordered(item: Item, value: object, now: datetime | None) -> str:
    if item.type == "integer" and (isinstance(value, bool) or not isinstance(value, int)):
        return "type"
    if item.type in ORDERED_TYPES - {"integer"} and not isinstance(value, str):
        return "type"
    try:
        given = comparable(item, value)
    except (ValueError, InvalidOperation):
        return "type"
    if isinstance(given, Decimal) and abs(given) >= Decimal(10) ** 9:
        return "above"  # too many digits for a real answer, or to show again on the page
    if isinstance(given, date) and not FIRST_YEAR <= given.year <= LAST_YEAR:
        return "type"  # a typo, not a day in a patient's life or plans
    if item.type in ORDERED_TYPES:
        lowest, highest = (limit_of(item, is_upper=is_upper, now=now) for is_upper in (False, True))
        if lowest is not None and given < lowest:
            return "below"
        if highest is not None and given > highest:
            return "above"
    return ""


def limit_of(item: Item, *, is_upper: bool, now: datetime | None) -> Comparable | None:
    """Return the maximum (`is_upper`) or minimum of answers to `item`, in the form of `comparable`.

    None if there is no such limit, or if it is relative and `now` is None.

    For a dateTime, a maximum given as a date includes that whole day.
    """
    limit = item.maximum if is_upper else item.minimum
    if limit is None:
        return None
    if not is_relative(limit):
        is_day = item.type == "dateTime" and len(limit) <= LENGTH_OF_DAY
        return as_moment(item.type, date.fromisoformat(limit), is_upper=is_upper) if is_day else comparable(item, limit)
    return None if now is None else as_moment(item.type, resolve_limit(limit, now=now), is_upper=is_upper)
