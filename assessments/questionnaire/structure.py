"""Check that a questionnaire can be asked: unique linkIds, valid limits and conditions, no dependency cycles. Pure."""

from collections.abc import Iterable
from dataclasses import fields
from decimal import InvalidOperation
from types import NoneType

from assessments.questionnaire.answer_limits import is_relative
from assessments.questionnaire.checking import check_item
from assessments.questionnaire.model import (
    CHOICE_TYPES,
    ORDERED_TYPES,
    Condition,
    InvalidQuestionnaire,
    Item,
    Option,
    Questionnaire,
    ScoreRule,
    comparable,
)
from assessments.questionnaire.scoring import GATES, METHODS

LAYOUTS = {"scale": {"integer"}, "agree": {"boolean"}, "body-map": CHOICE_TYPES}
CLASSES: dict[object, type | tuple[type, ...]] = {str: str, bool: bool, int | None: (int, NoneType)}
LONGEST_SCALE = 20
LONGEST_MEASURE = 40
OUR_FIELDS = {"seen", "asked.again", "page.revision", "change", "csrfmiddlewaretoken"}  # other fields of a page's form


def check_structure(questionnaire: Questionnaire) -> None:
    """Raise InvalidQuestionnaire for the first item that cannot be asked, or score that cannot be calculated."""
    _check_types(questionnaire, questionnaire.variables)
    if not questionnaire.pages:
        raise InvalidQuestionnaire("it has no questions")
    seen: set[str] = set()
    for page in questionnaire.pages:
        for item in page.walk():
            _check_types(item, (*item.variables, item.scale_ends))
            parts: tuple[Option | Condition, ...] = (*item.options, *item.conditions)
            for part in parts:
                _check_types(part, (), item.link_id)
            if item.link_id in seen:
                raise InvalidQuestionnaire("this linkId is used twice", item.link_id)
            if item.link_id in OUR_FIELDS:
                raise InvalidQuestionnaire("this linkId is reserved for the page's own form", item.link_id)
            seen.add(item.link_id)
            _check_item(item)
    for item in questionnaire.items.values():
        for condition in item.conditions:
            _check_condition(item, condition, questionnaire)
    _check_scores(questionnaire)
    chain_lengths(questionnaire)


def _check_types(
    part: Questionnaire | Item | Option | Condition | ScoreRule, pairs: Iterable[Iterable[object]], link_id: str = ""
) -> None:
    """Raise InvalidQuestionnaire unless the fields of `part` have the types in CLASSES and `pairs` are strings."""
    link_id = getattr(part, "link_id", link_id)
    for one in fields(part):
        value, classes = getattr(part, one.name), CLASSES.get(one.type, object)
        if not isinstance(value, classes) or (classes is not object and isinstance(value, bool) != (classes is bool)):
            raise InvalidQuestionnaire(
                f"its {one.name.removeprefix('is_')} has another type than in FHIR", str(link_id)
            )
    if not all(isinstance(text, str) for pair in pairs for text in pair):
        raise InvalidQuestionnaire("a variable does not follow FHIR", link_id)


def _check_scores(questionnaire: Questionnaire) -> None:
    """Refuse a score that cannot be calculated, because it would fail when a patient completes the response."""
    measures: set[str] = set()
    for score in questionnaire.scores:
        _check_types(score, ())
        fault = f"the score {score.measure}"
        if score.measure in measures or not 0 < len(score.measure) <= LONGEST_MEASURE:
            raise InvalidQuestionnaire(f"{fault} is defined twice, or its name is too long")
        if score.method not in METHODS or score.gate not in ("", *GATES) or not isinstance(score.minimum_answered, int):
            raise InvalidQuestionnaire(f"{fault} has an unknown method, gate or minimum")
        countable = measures if score.method == "mean-of-scores" else questionnaire.items
        for link_id in score.items:
            if link_id not in countable:
                raise InvalidQuestionnaire(f"{fault} counts an item that does not exist", link_id)
        if score.gate and not questionnaire.items[score.items[0]].options:
            raise InvalidQuestionnaire(f"{fault} needs answer options", score.items[0])
        measures.add(score.measure)


def _check_item(item: Item) -> None:
    if item.type in CHOICE_TYPES and not item.options:
        raise InvalidQuestionnaire("a choice has no answer options", item.link_id)
    if item.options and item.type not in CHOICE_TYPES:
        raise InvalidQuestionnaire(f"answer options are not supported for the type {item.type}", item.link_id)
    if len({option.code for option in item.options}) != len(item.options):
        raise InvalidQuestionnaire("the same answer is offered twice", item.link_id)
    if item.type not in LAYOUTS.get(item.layout, {item.type}):
        raise InvalidQuestionnaire(f"the layout {item.layout} does not fit the type {item.type}", item.link_id)
    for limit in (item.minimum, item.maximum):
        if limit is not None and not (is_relative(limit) and item.type in ("date", "dateTime")):
            try:
                comparable(item, limit)
                if item.layout == "scale":
                    int(limit)
            except (ValueError, InvalidOperation):
                fault = f"the limit {limit!r} does not fit the type {item.type}"
                raise InvalidQuestionnaire(fault, item.link_id) from None
    if item.initial and item.is_question and check_item(item, list(item.initial)):
        raise InvalidQuestionnaire("its initial value is not a valid answer", item.link_id)
    if item.layout == "scale" and not 0 < int(item.maximum or 10) - int(item.minimum or 0) <= LONGEST_SCALE:
        raise InvalidQuestionnaire(f"a scale has at most {LONGEST_SCALE} steps", item.link_id)


def _check_condition(item: Item, condition: Condition, questionnaire: Questionnaire) -> None:
    target = questionnaire.items.get(condition.question)
    if target is None or not target.is_question:
        raise InvalidQuestionnaire(
            f"it depends on {condition.question!r}, which is not a question in this file", item.link_id
        )
    if condition.operator not in ("exists", "=", "!=") and target.type not in ORDERED_TYPES:
        raise InvalidQuestionnaire(f"{condition.operator!r} cannot compare answers of type {target.type}", item.link_id)
    if condition.operator != "exists":
        try:
            comparable(target, condition.value)
        except (ValueError, InvalidOperation):
            raise InvalidQuestionnaire(
                f"{condition.value!r} is not a valid answer to {target.link_id}", item.link_id
            ) from None


def chain_lengths(questionnaire: Questionnaire) -> dict[str, int]:
    """Return {linkId: length of the longest chain of items that the item depends on}.

    The items may be in any order. An item depends on its parent and on the questions of its conditions.
    Linear in items and conditions.
    Raises InvalidQuestionnaire for a cycle.
    """
    lengths: dict[str, int] = {}
    for start in questionnaire.items:
        stack = [start]
        opened: set[str] = set()  # the items between `start` and the one being followed
        while stack:
            link_id = stack[-1]
            needs = _dependencies(questionnaire.items[link_id])
            if link_id in lengths:
                stack.pop()
            elif link_id in opened:
                lengths[link_id] = max((lengths[need] + 1 for need in needs), default=0)
                opened.remove(stack.pop())
            else:
                opened.add(link_id)
                if not opened.isdisjoint(needs):
                    raise InvalidQuestionnaire("its condition depends on itself", link_id)
                stack += [need for need in needs if need not in lengths]
    return lengths


def _dependencies(item: Item) -> set[str]:
    """Return the linkIds of the items that decide whether `item` is enabled."""
    return {condition.question for condition in item.conditions} | ({item.parent} if item.parent else set())
