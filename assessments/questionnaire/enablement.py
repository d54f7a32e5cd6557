"""Find the items of a questionnaire that the answers so far enable (FHIR's enableWhen). Pure."""

import operator
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, time
from decimal import InvalidOperation

from assessments.questionnaire.model import Comparable, Condition, Item, Questionnaire, comparable

COMPARE = {
    "=": operator.eq,
    "!=": operator.eq,  # negated in meets_condition
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def enabled_items(questionnaire: Questionnaire, answers: dict[str, list]) -> frozenset[str]:
    """Return the linkIds that are enabled under `answers` ({linkId: [value, …]}).

    A disabled item disables everything below it, and its own answers are ignored. If a question has several answers,
    one match is enough. "!=" is met if no answer is equal, or if there is none.
    https://hl7.org/fhir/R4/questionnaire.html#enableWhen
    """
    known: dict[str, bool] = {}

    def is_enabled(item: Item) -> bool:
        if item.link_id not in known:
            known[item.link_id] = _is_enabled(item)
        return known[item.link_id]

    def _is_enabled(item: Item) -> bool:
        if item.parent and not is_enabled(questionnaire.items[item.parent]):
            return False
        met = (is_met(condition) for condition in item.conditions)
        return not item.conditions or (all(met) if item.needs_all else any(met))

    def is_met(condition: Condition) -> bool:
        question = questionnaire.items[condition.question]
        return meets_condition(question, condition, answers.get(question.link_id, []) if is_enabled(question) else [])

    return frozenset(item.link_id for item in questionnaire.items.values() if is_enabled(item))


def meets_condition(question: Item, condition: Condition, values: list) -> bool:
    """Return whether `values`, the answers to `question`, meet `condition`. Values of the wrong type match nothing."""
    if condition.operator == "exists":
        return bool(values) == condition.value
    wanted = comparable(question, condition.value)
    matches = any(COMPARE[condition.operator](given, wanted) for given in _comparables(question, values))
    return not matches if condition.operator == "!=" else matches


def describe_condition(question: Item, condition: Condition) -> dict[str, object]:
    """Return `condition` on `question` as a JSON object for the page's script, with a normalized value."""
    described: dict[str, object] = {"question": question.link_id, "type": question.type, "operator": condition.operator}
    if condition.operator == "exists":
        return described | {"value": condition.value}
    wanted = comparable(question, condition.value)
    if isinstance(wanted, bool):
        return described | {"value": str(wanted).lower()}
    return described | {"value": wanted.isoformat() if isinstance(wanted, date | time) else str(wanted)}


def _comparables(question: Item, values: list) -> Iterator[Comparable]:
    for value in values:
        with suppress(ValueError, InvalidOperation):
            yield comparable(question, value)


def keep_enabled(questionnaire: Questionnaire, answers: dict[str, list]) -> dict[str, list]:
    """Return `answers` without empty ones and those to disabled items, which the patient can no longer see."""
    enabled = enabled_items(questionnaire, answers)
    return {link_id: values for link_id, values in answers.items() if link_id in enabled and values}
