"""Parse a FHIR R4 Questionnaire. Pure.

A questionnaire that cannot be asked is refused, so that it never fails on a patient's page.
https://hl7.org/fhir/R4/questionnaire.html
"""

import json
from decimal import Decimal
from functools import lru_cache
from typing import Any

from assessments.fhir_json.answer_options import read_options
from assessments.fhir_json.condition_expressions import with_conditions
from assessments.fhir_json.names import (
    CALCULATED,
    CALCULATED_VALUE,
    HIDDEN,
    HINT,
    LAYOUT,
    MAXIMUM,
    MIN_OCCURS,
    MINIMUM,
    PATTERN,
    SCALE_ENDS,
    SCORE,
    SHORT,
    UNIT,
    VARIABLE,
    WHY,
    extension_value,
    find_extensions,
    max_occurs,
    typed_value,
)
from assessments.fhir_json.repeat_expansion import ADDED, CONTINUED, NUMBER, SOURCE, unroll
from assessments.known_questions import ENTRY_RULES, EntryRule
from assessments.questionnaire.answer_limits import is_relative
from assessments.questionnaire.instruments import SYSTEM, instrument_scores
from assessments.questionnaire.model import (
    CHOICE_TYPES,
    QUESTION_TYPES,
    UNASKED_TYPES,
    Answer,
    Condition,
    InvalidQuestionnaire,
    Item,
    Option,
    Questionnaire,
    ScoreRule,
)
from assessments.questionnaire.structure import check_structure
from clinic.practice.values.numbers import PLAIN

TYPES = QUESTION_TYPES | UNASKED_TYPES | {"group", "display"}
MOST_VARIABLES = 50
MOST_KEPT = 16  # parsed questionnaires per process; one item takes about 4 kB
NOT_FHIR = "it does not follow FHIR: a part is missing, or has a value of the wrong type"
OPERATORS = {"exists", "=", "!=", ">", "<", ">=", "<="}


def parse_questionnaire(definition: dict) -> Questionnaire:
    """Parse `definition` (FHIR R4 JSON). Raises InvalidQuestionnaire."""
    if not isinstance(definition, dict) or definition.get("resourceType") != "Questionnaire":
        raise InvalidQuestionnaire("this is not a FHIR Questionnaire")
    try:
        contained = {one.get("id"): one for one in definition.get("contained", [])}
        read = ItemReader(contained, url=definition.get("url", ""))
        raw_pages = unroll(with_conditions(definition), title=definition.get("title", ""))
        pages = tuple(read.item(raw, parent=None) for raw in raw_pages)
        scores = [_parse_score(nested) for nested in find_extensions(definition, SCORE)]
        questionnaire = Questionnaire(
            url=definition.get("url", ""),
            version=definition.get("version", ""),
            title=definition.get("title", ""),
            description=definition.get("description", ""),
            pages=pages,
            scores=(*scores, *instrument_scores(one for page in pages for one in page.walk())[0]),
            variables=read_variables(definition),
        )
        check_structure(questionnaire)
    except InvalidQuestionnaire:
        raise
    except (AttributeError, TypeError, KeyError, IndexError, ArithmeticError, ValueError):
        raise InvalidQuestionnaire(NOT_FHIR) from None
    return questionnaire


def parse_once(definition: dict) -> Questionnaire:
    """Parse like `parse_questionnaire`, cached in the process. Raises InvalidQuestionnaire.

    The cache key is the whole definition as JSON, so that a version overwritten under its primary key is parsed again.
    """
    return _parse_text(json.dumps(definition))


@lru_cache(maxsize=MOST_KEPT)
def _parse_text(text: str) -> Questionnaire:
    return parse_questionnaire(json.loads(text))


def read_variables(raw: dict) -> tuple[tuple[str, str], ...]:
    """Return (name, FHIRPath) of each variable declared on `raw`, the questionnaire or an item, in order.

    Raises InvalidQuestionnaire if there are more than MOST_VARIABLES.
    """
    declared = [extension["valueExpression"] for extension in find_extensions(raw, VARIABLE)]
    if len(declared) > MOST_VARIABLES:
        raise InvalidQuestionnaire(f"more than {MOST_VARIABLES} variables in one place", raw.get("linkId", ""))
    return tuple((one.get("name", ""), one.get("expression", "")) for one in declared)


class ItemReader:
    """Parses items of the questionnaire `url`; `contained` has its contained resources by id."""

    def __init__(self, contained: dict[str, dict], *, url: str):
        self.contained, self.url = contained, url

    def item(self, raw: dict, *, parent: str | None, is_hidden: bool = False, is_read_only: bool = False) -> Item:
        """Parse `raw` and all items below it, which are hidden or read-only if `raw` is.

        Raises InvalidQuestionnaire.
        """
        link_id = raw.get("linkId", "")
        if not all(isinstance(one.get("url"), str) for one in raw.get("extension", [])):
            raise InvalidQuestionnaire("an extension has no url", str(link_id))
        if not link_id:
            raise InvalidQuestionnaire(f"an item in {parent or 'the questionnaire'} has no linkId")
        if raw.get("type") not in TYPES:
            raise InvalidQuestionnaire(f"items of type {raw.get('type')!r} are not supported", link_id)
        is_hidden = is_hidden or bool(extension_value(raw, HIDDEN))
        is_read_only = is_read_only or raw.get("readOnly", False)
        has_options = raw["type"] in CHOICE_TYPES or "answerOption" in raw
        options = read_options(raw, self.contained) if has_options else ()
        return Item(
            link_id=link_id,
            type=raw["type"],
            **_parse_texts(raw),
            **_parse_limits(raw, ENTRY_RULES.get((self.url, link_id), EntryRule())),
            is_required=raw.get("required", False) and raw["type"] in QUESTION_TYPES,
            repeats=raw.get("repeats", False) and raw["type"] in QUESTION_TYPES - {"boolean"},
            initial=_parse_initial(raw, link_id, options),
            calculated=(extension_value(raw, CALCULATED) or {}).get("expression", ""),
            variables=read_variables(raw),
            codes=_parse_codes(raw),
            is_hidden=is_hidden,
            is_read_only=is_read_only,
            source=raw.get(SOURCE, ""),
            number=raw.get(NUMBER, 0),
            is_added=raw.get(ADDED, False),
            is_continued=raw.get(CONTINUED, False),
            options=options,
            conditions=tuple(_parse_condition(condition, link_id) for condition in raw.get("enableWhen", [])),
            needs_all=_parse_behavior(raw, link_id),
            parent=parent,
            items=tuple(
                self.item(child, parent=link_id, is_hidden=is_hidden, is_read_only=is_read_only)
                for child in raw.get("item", [])
            ),
        )


def _parse_codes(raw: dict) -> tuple[str, ...]:
    """Return the codes of `raw` as an item of instruments, such as "hoos:pain-1"."""
    ours = (one for one in raw.get("code", []) if one.get("system", "").startswith(SYSTEM))
    return tuple(f"{one['system'].removeprefix(SYSTEM)}:{one['code']}" for one in ours)


def _parse_texts(raw: dict) -> dict:
    ends = [extension["valueString"] for extension in find_extensions(raw, SCALE_ENDS)]
    unit = _unit_of(raw)
    return {
        "text": raw.get("text", ""),
        "short": extension_value(raw, SHORT) or "",
        "why": extension_value(raw, WHY) or "",
        "hint": extension_value(raw, HINT) or "",
        "layout": extension_value(raw, LAYOUT) or "",
        "unit": unit.get("display", unit.get("code", "")),
        "scale_ends": (ends[0], ends[1]) if len(ends) == 2 else ("", ""),
    }


def _parse_limits(raw: dict, rule: EntryRule) -> dict:
    """Return the limits and the pattern from the file, and the refused options of our entry `rule` for a choice.

    For a date, a limit that the file does not set is taken from `rule`.
    """
    lowest, highest = (_parse_limit(raw, url) for url in (MINIMUM, MAXIMUM))
    return {
        "max_length": raw.get("maxLength"),
        "fewest": extension_value(raw, MIN_OCCURS),
        "most": max_occurs(raw),
        "minimum": lowest or (rule.minimum if raw["type"] == "date" else None),
        "maximum": highest or (rule.maximum if raw["type"] == "date" else None),
        "refused": rule.refused if raw["type"] in CHOICE_TYPES else (),
        "pattern": extension_value(raw, PATTERN) or "",
    }


def _parse_limit(raw: dict, url: str) -> str | None:
    """Return a fixed limit, or the expression of a relative one; None if there is none that can be checked."""
    fixed = extension_value(raw, url)
    if fixed is not None:
        return _write_limit(raw["type"], str(fixed))
    expression = calculated_limit(raw, url)
    return expression if is_relative(expression) and raw.get("type") in ("date", "dateTime") else None


def _write_limit(item_type: str, limit: str) -> str:
    """Return `limit`. For an integer item, a whole number is written without a decimal point or exponent."""
    if item_type != "integer" or not PLAIN.fullmatch(limit):
        return limit
    number = Decimal(limit)
    return str(int(number)) if number == number.to_integral_value() else limit


def calculated_limit(raw: dict, url: str) -> str | None:
    """Return the expression that calculates the limit `url`, such as "today()"; None if the limit is fixed or absent.

    Empty for a calculated limit without an expression.
    """
    for extension in find_extensions(raw, url):
        for key, value in extension.items():
            if key.startswith("_value") and isinstance(value, dict):
                return (extension_value(value, *CALCULATED_VALUE) or {}).get("expression", "")
    return None


def _unit_of(raw: dict) -> dict:
    """Return {"code", "display"} of the declared unit, or else of the first initial quantity; empty if none."""
    quantities = [one["valueQuantity"] for one in raw.get("initial", []) if "valueQuantity" in one]
    declared = extension_value(raw, UNIT)
    if declared is None and quantities:
        first = quantities[0]
        return {key: first[name] for key, name in (("display", "unit"), ("code", "code")) if name in first}
    return declared or {}


def _parse_initial(raw: dict, link_id: str, options: tuple[Option, ...]) -> tuple[Answer, ...]:
    """Return the initial values in stored form. A quantity without a value only sets the unit, so it is omitted.

    Raises InvalidQuestionnaire for a value without a type, or with another unit than the answers.
    """
    chosen = [one for one in raw.get("answerOption", []) if one.get("initialSelected")]
    given = [found for one in (*raw.get("initial", []), *chosen) if (found := typed_value(one))]
    if len(given) < len(raw.get("initial", [])) + len(chosen):
        raise InvalidQuestionnaire("an initial value has no type", link_id)
    unit = set(_unit_of(raw).values())
    for quantity in (value for kind, value in given if kind == "Quantity"):
        named = {quantity[key] for key in ("unit", "code") if quantity.get(key)}
        if named and named.isdisjoint(unit):
            raise InvalidQuestionnaire("the unit of its initial value is not that of its answers", link_id)
    given = [(kind, value) for kind, value in given if kind != "Quantity" or "value" in value]
    codes = {option.code for option in options}
    return tuple(_stored(raw["type"], kind, value, codes) for kind, value in given)


def _stored(item_type: str, kind: str, value: Any, codes: set[str]) -> Answer:
    if kind == "Quantity":
        value = value["value"]
    elif isinstance(value, dict):
        value = value.get("code") or value.get("reference") or value.get("display", "")
    if item_type == "open-choice" and kind == "String" and value not in codes:
        return {"text": value}
    if item_type in ("decimal", "quantity") or (item_type in CHOICE_TYPES and not isinstance(value, bool)):
        return str(value)
    return value


def _parse_condition(raw: dict, link_id: str) -> Condition:
    operator, question = raw.get("operator"), raw.get("question", "")
    if operator not in OPERATORS:
        raise InvalidQuestionnaire(f"the operator {operator!r} is not supported", link_id)
    values = [value for key, value in raw.items() if key.startswith("answer")]
    if len(values) != 1:
        raise InvalidQuestionnaire(f"the condition on {question} needs exactly one answer", link_id)
    value = values[0]["code"] if isinstance(values[0], dict) and "code" in values[0] else values[0]
    if not isinstance(value, bool | int | float | str) or (operator == "exists" and not isinstance(value, bool)):
        raise InvalidQuestionnaire(f"the condition on {question} compares with an unsupported value", link_id)
    return Condition(question=question, operator=operator, value=str(value) if isinstance(value, float) else value)


def _parse_behavior(raw: dict, link_id: str) -> bool:
    behavior = raw.get("enableBehavior")
    if behavior not in (None, "all", "any") or (behavior is None and len(raw.get("enableWhen", [])) > 1):
        raise InvalidQuestionnaire("several conditions need an enableBehavior of 'all' or 'any'", link_id)
    return behavior == "all"


def _parse_score(extension: dict) -> ScoreRule:
    parts: dict[str, list] = {}
    for part in extension["extension"]:
        value = next(value for key, value in part.items() if key.startswith("value"))
        parts.setdefault(part["url"], []).append(value)
    items = tuple(parts.get("item", ()))
    return ScoreRule(
        measure=parts["measure"][0],
        title=parts["title"][0],
        method=parts["method"][0],
        items=items,
        minimum_answered=parts.get("minimum-answered", [len(items)])[0],
        multiplier=Decimal(str(parts.get("multiplier", [1])[0])),
        offset=Decimal(str(parts.get("offset", [0])[0])),
        gate=parts.get("gate", [""])[0],
    )
