"""Find differences between a questionnaire file and how it is asked, for staff to review before they publish it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from assessments.calculation.calculated_answers import calculated_items, whole_expression
from assessments.fhir_json.condition_expressions import untranslated
from assessments.fhir_json.names import (
    CALCULATED,
    FHIR,
    MAX_DECIMALS,
    MAXIMUM,
    MIN_OCCURS,
    MINIMUM,
    NOT_EVALUATED,
    extension_value,
    max_occurs,
    walk_items,
)
from assessments.fhir_json.parsing import calculated_limit
from assessments.fhir_json.repeat_expansion import most_copies
from assessments.questionnaire.answer_limits import is_relative
from assessments.questionnaire.expressions import ExpressionUnsupported, check_expression
from assessments.questionnaire.instruments import instrument_scores
from assessments.questionnaire.model import CHOICE_TYPES, ORDERED_TYPES, UNASKED_TYPES, Item, Questionnaire
from assessments.questionnaire.patterns import PatternUnsupported, compile_pattern
from assessments.questionnaire.readable import estimate_minutes

LONGEST_MINUTES = 5


@dataclass(frozen=True, slots=True)
class ImportNotice:
    """A difference to show to staff: its kind, the linkId (empty for the whole file), and what happens instead."""

    name: str
    link_id: str
    text: str


def inspect(definition: dict, parsed: Questionnaire) -> list[ImportNotice]:
    """Return the differences between `definition` (FHIR R4) and how it is asked, and a notice if it takes too long.

    `parsed` is `definition`, parsed.
    """
    most = most_copies(definition["item"]) if "item" in definition else 0
    found = [notice for raw in walk_items(definition) for notice in _inspect_raw(raw, most)]
    found += [
        ImportNotice("expression", name, "is always asked: its enableWhenExpression cannot be converted to enableWhen")
        for name in sorted(untranslated(definition))
    ]
    found += _inspect_expressions(parsed)
    found += _inspect_conditions(parsed)
    found += [
        ImportNotice("regex", name, f"is not checked: its regex {fault}")
        for name, fault in unsupported_patterns(parsed)
    ]
    found += [
        ImportNotice("score", "", f"{name} {fault}") for name, fault in instrument_scores(parsed.items.values())[1]
    ]
    minutes = estimate_minutes(parsed)
    if minutes > LONGEST_MINUTES:
        found.append(
            ImportNotice("long", "", f"it takes about {minutes} minutes; people give up after {LONGEST_MINUTES}")
        )
    return found


def list_questions(parsed: Questionnaire) -> list[tuple[str, list[tuple[Item, int]]]]:
    """Return (page text, [(question, number of copies)]) for each page of the file that has questions."""
    times = Counter(item.exported_id for item in parsed.items.values() if not item.is_continued)
    listed: dict[str, list[tuple[Item, int]]] = {}
    for link_id, item in parsed.items.items():
        if item.is_question and not (item.is_added or item.source):
            page = parsed.page_of[link_id]
            listed.setdefault(page.exported_id, []).append((item, times[link_id]))
    texts = {page.exported_id: page.text for page in reversed(parsed.pages)}
    return [(texts[name], questions) for name, questions in listed.items()]


def _inspect_raw(raw: dict, most: int) -> Iterator[ImportNotice]:
    link_id, kind = raw.get("linkId", ""), raw.get("type")
    for extension in raw.get("extension", []):
        if name := NOT_EVALUATED.get(extension.get("url")):
            yield ImportNotice("expression", link_id, f"its {name} is not evaluated")
    if kind in UNASKED_TYPES:
        yield ImportNotice(kind, link_id, "cannot be answered here; the page asks patients to bring it to the visit")
    if kind == "group" and raw.get("required"):
        yield ImportNotice("required group", link_id, "only its questions can be required, not the group")
    if kind == "boolean" and raw.get("repeats"):
        yield ImportNotice("repeating boolean", link_id, "is asked once")
    if kind == "group" and raw.get("repeats"):
        if (max_occurs(raw) or most + 1) > most:
            yield ImportNotice("repeating group", link_id, f"can be filled in up to {most} times")
        if extension_value(raw, MIN_OCCURS):
            yield ImportNotice("repeating group", link_id, "may be filled in fewer times than the file requires")
    for limit in (calculated_limit(raw, MINIMUM), calculated_limit(raw, MAXIMUM)):
        if limit is not None and not (is_relative(limit) and kind in ("date", "dateTime")):
            yield ImportNotice("limit", link_id, "is not checked against a limit that the file calculates")
    if kind in ("decimal", "quantity") and extension_value(raw, MAX_DECIMALS) is not None:
        yield ImportNotice("limit", link_id, "may be answered with more decimal places than the file allows")
    expression = extension_value(raw, CALCULATED) or {}
    if expression and expression.get("language") != "text/fhirpath":
        yield ImportNotice("expression", link_id, f"an expression in {expression.get('language')} is not calculated")
    if extension_value(raw, f"{FHIR}questionnaire-itemControl") and kind not in ("group", "display"):
        yield ImportNotice("control", link_id, "is asked with our own control")


def _inspect_expressions(parsed: Questionnaire) -> Iterator[ImportNotice]:
    for item in calculated_items(parsed):
        try:
            check_expression(whole_expression(parsed, item))
        except ExpressionUnsupported as error:
            if not item.source:
                yield ImportNotice("expression", item.link_id, f"is not calculated: {error}")


def _inspect_conditions(parsed: Questionnaire) -> Iterator[ImportNotice]:
    """Report each item outside a repeating group that has a condition on a question inside it.

    Only the answer in the first copy counts.
    """
    copied = {item.source for item in parsed.items.values() if item.source and not item.is_continued}
    for item in parsed.items.values():
        for condition in item.conditions if item.link_id not in copied and not (item.source or item.is_added) else ():
            if condition.question in copied:
                yield ImportNotice(
                    "condition", item.link_id, f"depends only on the first answer of {condition.question}"
                )


def unsupported_patterns(parsed: Questionnaire) -> list[tuple[str, str]]:
    """Return (linkId, reason) for each question with an unsupported pattern. A new file with one is refused."""
    found = []
    for item in parsed.items.values():
        try:
            if item.pattern and not item.source:
                compile_pattern(item.pattern)
        except PatternUnsupported as error:
            found.append((item.link_id, str(error)))
    return found


def fullest_answers(parsed: Questionnaire) -> dict[str, list]:
    """Return answers to every question, as input for a trial run, with all options where several may be chosen."""
    return {item.link_id: _some_answers(item) for item in parsed.items.values() if item.is_question}


def _some_answers(item: Item) -> list:
    if item.type in CHOICE_TYPES:
        return [option.code for option in item.options] if item.repeats else [item.options[-1].code]
    moments = {"date": "2026-01-01", "dateTime": "2026-01-01T00:00", "time": "12:00"}
    if item.type in moments:
        return [moments[item.type]]
    if item.type in ORDERED_TYPES:
        number = item.maximum or "1"
        return [int(number) if item.type == "integer" else number]
    return [True if item.type == "boolean" else "x"]
