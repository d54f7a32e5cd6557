"""Answers that a questionnaire works out from the others, in an order in which each finds what it needs. Pure."""

from datetime import UTC
from decimal import ROUND_HALF_UP, Decimal

from .enablement import keep_enabled
from .expressions import calculate, inline_variables
from .questionnaire import Item, Questionnaire
from .response_items import write_items

SMALLEST = Decimal("0.000001")  # more digits would not survive a JSON number
MOST_ROUNDS = 3  # a total of totals of items


def calculated_items(questionnaire: Questionnaire) -> list[Item]:
    """The questions that are worked out, in the order asked."""
    return [item for item in questionnaire.items.values() if item.calculated and item.is_question]


def add_calculated(questionnaire: Questionnaire, answers: dict[str, list]) -> dict[str, list]:
    """`answers` with every calculated answer worked out anew; one stored before counts for nothing."""
    items = calculated_items(questionnaire)
    if not items:
        return answers
    known = {name: values for name, values in answers.items() if name not in {item.link_id for item in items}}
    for _ in range(MOST_ROUNDS):
        found = _calculate_all(questionnaire, items, known)
        if all(known.get(name, []) == values for name, values in found.items()):
            break
        known = {name: values for name, values in (known | found).items() if values}
    return known


def initial_answers(questionnaire: Questionnaire) -> dict[str, list]:
    """What a new response starts with."""
    given = {item.link_id: list(item.initial) for item in questionnaire.items.values() if item.initial}
    return add_calculated(questionnaire, given)


def _calculate_all(questionnaire: Questionnaire, items: list[Item], answers: dict[str, list]) -> dict[str, list]:
    written = write_items(questionnaire, keep_enabled(questionnaire, answers), zone=UTC, has_weights=True)
    resource = {"resourceType": "QuestionnaireResponse", "status": "in-progress", "item": written}
    return {
        item.link_id: _as_answer(item, calculate(whole_expression(questionnaire, item), resource)) for item in items
    }


def whole_expression(questionnaire: Questionnaire, item: Item) -> str:
    """The expression of `item` with the questionnaire's variables put in."""
    return inline_variables(item.calculated, questionnaire.variables)


def _as_answer(item: Item, value) -> list:
    """`value` as answers of the type of `item` are stored; none if it does not fit."""
    if value is None:
        return []
    if item.type == "boolean":
        return [value] if isinstance(value, bool) else []
    if item.type in ("integer", "decimal", "quantity"):
        if isinstance(value, bool | str):
            return []
        number = Decimal(str(value))
        if item.type == "integer":
            return [int(number)] if number == number.to_integral_value() else []
        return [format(number.quantize(SMALLEST, ROUND_HALF_UP).normalize(), "f")]
    return [str(value)] if item.type in ("string", "text") else []
