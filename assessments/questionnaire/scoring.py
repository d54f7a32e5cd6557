"""Scores: sums and means of answers, with each instrument's own rule for missing answers. Pure.

Totals in a file are never trusted. They are calculated again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from assessments.questionnaire.enablement import enabled_items
from assessments.questionnaire.model import Item, Questionnaire, ScoreRule

METHODS = {"sum", "mean", "person-mean", "mean-of-scores"}
GATES = {"first-zero-last-hundred": (Decimal(0), Decimal(100))}


@dataclass(frozen=True, slots=True)
class Result:
    """A score: `answered` of `of` items were answered. `value` is None if too few were."""

    measure: str
    value: Decimal | None
    answered: int
    of: int


class MethodUnknown(ValueError):
    """A score rule names an unknown method or gate."""


def score_response(questionnaire: Questionnaire, answers: dict[str, list]) -> list[Result]:
    """Return every score of `questionnaire` over `answers`, which must omit disabled questions.

    `of` in the results counts only enabled questions; for a mean of scores, it counts those scores.
    """
    asked = enabled_items(questionnaire, answers)
    results: dict[str, Result] = {}
    for rule in questionnaire.scores:
        if rule.method == "mean-of-scores":
            results[rule.measure] = _mean_of_scores(rule, results)
        else:
            result = score(rule, questionnaire.items, answers)
            results[rule.measure] = replace(result, of=sum(name in asked for name in rule.items))
    return list(results.values())


def _mean_of_scores(rule: ScoreRule, results: dict[str, Result]) -> Result:
    """Return the mean of earlier results; no value unless all of them have one."""
    values = [value for name in rule.items if (value := results[name].value) is not None]
    is_whole = len(values) == len(rule.items)
    mean = (sum(values, Decimal(0)) / len(values)).quantize(Decimal("0.1"), ROUND_HALF_UP) if is_whole else None
    return Result(rule.measure, mean, len(values), len(rule.items))


def score(rule: ScoreRule, items: Mapping[str, Item], answers: dict[str, list]) -> Result:
    """Calculate one score: `multiplier` x (sum or mean of the answers) + `offset`, to one decimal.

    Methods: "sum", "mean", and "person-mean" (a sum in which a missing answer counts as the mean of the others);
    "mean-of-scores", over other measures, is in `score_response`. With fewer answers than `minimum_answered`, there is
    no value. With the `gate` "first-zero-last-hundred", the first or last option of the first question alone decides
    the score (OSTRC: doi:10.1136/bjsports-2019-101337).
    Raises MethodUnknown.
    """
    values = [value for name in rule.items if (value := weight(items[name], answers.get(name, []))) is not None]
    gated = _pass_gate(rule, items, answers)
    if gated is not None:
        return Result(rule.measure, gated, len(values), len(rule.items))
    if not values or len(values) < rule.minimum_answered:
        return Result(rule.measure, None, len(values), len(rule.items))
    total = sum(values, Decimal(0))
    if rule.method == "mean":
        total /= len(values)
    elif rule.method == "person-mean":
        total = total / len(values) * len(rule.items)
    elif rule.method != "sum":
        raise MethodUnknown(rule.method)
    value = (rule.multiplier * total + rule.offset).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return Result(rule.measure, value, len(values), len(rule.items))


def weight(item: Item, values: list) -> Decimal | None:
    """Return the answer as a number: itself, or the ordinalValue of the chosen option. None without one."""
    if not values:
        return None
    if item.type in ("integer", "decimal"):
        return Decimal(str(values[0]))
    return next((option.ordinal for option in item.options if option.code == values[0]), None)


def _pass_gate(rule: ScoreRule, items: Mapping[str, Item], answers: dict[str, list]) -> Decimal | None:
    if not rule.gate:
        return None
    if rule.gate not in GATES:
        raise MethodUnknown(rule.gate)
    gatekeeper = items[rule.items[0]]
    given = answers.get(gatekeeper.link_id, [])
    first, last = GATES[rule.gate]
    if given == [gatekeeper.options[0].code]:
        return first
    return last if given == [gatekeeper.options[-1].code] else None
