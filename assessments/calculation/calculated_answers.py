"""Answers that a questionnaire calculates from other answers. The expressions run in the process of `calculator`."""

from copy import deepcopy
from datetime import UTC
from decimal import ROUND_HALF_UP, Decimal

from assessments.calculation.calculator import Calculation, calculate, try_expressions
from assessments.calculation.response_items import write_items
from assessments.questionnaire.enablement import keep_enabled
from assessments.questionnaire.expressions import LEVEL, Value, inline_variables, place_context
from assessments.questionnaire.model import Item, Questionnaire

SMALLEST = Decimal("0.000001")  # decimals are rounded to this, because JSON numbers are not reliable beyond it
MOST_ROUNDS = 3  # a total of totals of items


def calculated_items(questionnaire: Questionnaire) -> list[Item]:
    """Return the calculated questions, in the order asked."""
    return [item for item in questionnaire.items.values() if item.calculated and item.is_question]


def add_calculated(questionnaire: Questionnaire, answers: dict[str, list]) -> dict[str, list]:
    """Return `answers` with every calculated answer, in place of stored ones.

    Calculate up to MOST_ROUNDS times, until nothing changes, because a calculation may use the result of another.
    """
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
    """Return the answers of a new response: initial values, and what is calculated from them."""
    given = {item.link_id: deepcopy(list(item.initial)) for item in questionnaire.items.values() if item.initial}
    return add_calculated(questionnaire, given)


def try_calculations(questionnaire: Questionnaire, answers: dict[str, list]) -> str:
    """Calculate everything once over `answers`, with all items enabled. Return an error text if that fails, or ""."""
    calculations, resource = _prepare(questionnaire, answers, enabled=frozenset(questionnaire.items))
    return try_expressions(calculations, resource) if calculations else ""


def _calculate_all(questionnaire: Questionnaire, items: list[Item], answers: dict[str, list]) -> dict[str, list]:
    calculations, resource = _prepare(questionnaire, keep_enabled(questionnaire, answers))
    values = calculate(calculations, resource)
    return {item.link_id: _as_answer(item, value) for item, value in zip(items, values, strict=True)}


def _prepare(
    questionnaire: Questionnaire, answers: dict[str, list], *, enabled: frozenset[str] | None = None
) -> tuple[list[Calculation], dict]:
    """Return the calculations, in the order asked, and the FHIR response to run them on.

    `enabled` is as in `write_items`.
    """
    nodes: dict[str, dict] = {}
    written = write_items(questionnaire, answers, zone=UTC, has_weights=True, enabled=enabled, nodes=nodes)
    calculations = []
    for item in calculated_items(questionnaire):
        expression = whole_expression(questionnaire, item)
        levels = {
            f"{LEVEL}{level}": nodes.get(one.link_id, {"linkId": one.exported_id})
            for level, one in enumerate(_lineage(questionnaire, item), start=1)
            if f"%{LEVEL}{level}" in expression
        }
        calculations.append(Calculation(item.link_id, expression, levels))
    return calculations, {"resourceType": "QuestionnaireResponse", "status": "in-progress", "item": written}


def whole_expression(questionnaire: Questionnaire, item: Item) -> str:
    """Return the expression of `item` with the variables of the questionnaire, its ancestors and `item` inlined."""
    variables = [(name, place_context(text, 0)) for name, text in questionnaire.variables]
    lineage = _lineage(questionnaire, item)
    for level, one in enumerate(lineage, start=1):
        variables += [(name, place_context(text, level)) for name, text in one.variables]
    return inline_variables(place_context(item.calculated, len(lineage)), tuple(variables))


def _lineage(questionnaire: Questionnaire, item: Item) -> list[Item]:
    """Return the ancestors of `item`, from the top down, and `item` itself, without added items."""
    above = _lineage(questionnaire, questionnaire.items[item.parent]) if item.parent else []
    return above if item.is_added else [*above, item]


def _as_answer(item: Item, value: Value | None) -> list:
    """Return `value` as a stored answer to `item`; empty if it does not fit the type of `item`."""
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
