"""Reading a FHIR R4 Questionnaire. Pure.

What we cannot ask is refused here, never at a patient's screen: `DefinitionInvalid` names the item and the reason.
https://hl7.org/fhir/R4/questionnaire.html
"""

from decimal import Decimal, InvalidOperation

from .questionnaire import QUESTION_TYPES, Condition, Item, Option, Questionnaire, ScoreRule, comparable

TYPES = QUESTION_TYPES | {"group", "display"}
OPERATORS = {"exists", "=", "!=", ">", "<", ">=", "<="}
ORDERED_TYPES = {"integer", "decimal", "date"}

FHIR = "http://hl7.org/fhir/StructureDefinition/"
ORDINAL = FHIR + "ordinalValue"
MINIMUM, MAXIMUM = FHIR + "minValue", FHIR + "maxValue"
EXCLUSIVE = FHIR + "questionnaire-optionExclusive"
UNIT = FHIR + "questionnaire-unit"
SHORT = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-shortText"
WHY, HINT, LAYOUT, SCALE_ENDS, SCORE = (
    f"urn:runclinic:{name}" for name in ("why-we-ask", "hint", "layout", "scale-ends", "score")
)


class DefinitionInvalid(ValueError):
    """The definition cannot be asked: `link_id` (empty for the whole) and why."""

    def __init__(self, reason: str, link_id: str = ""):
        super().__init__(f"{link_id}: {reason}" if link_id else reason)
        self.link_id, self.reason = link_id, reason


def parse_questionnaire(definition: dict) -> Questionnaire:
    """`definition` (FHIR R4 JSON) as a Questionnaire. Raises DefinitionInvalid."""
    if definition.get("resourceType") != "Questionnaire":
        raise DefinitionInvalid("this is not a FHIR Questionnaire")
    questionnaire = Questionnaire(
        url=definition.get("url", ""),
        version=definition.get("version", ""),
        title=definition.get("title", ""),
        description=definition.get("description", ""),
        pages=tuple(_parse_item(raw, parent=None) for raw in definition.get("item", [])),
        scores=tuple(_parse_score(nested) for nested in _extensions(definition, SCORE)),
    )
    _check_whole(questionnaire)
    return questionnaire


def _parse_item(raw: dict, *, parent: str | None) -> Item:
    link_id = raw.get("linkId", "")
    if not link_id:
        raise DefinitionInvalid(f"an item in {parent or 'the questionnaire'} has no linkId")
    if raw.get("type") not in TYPES:
        raise DefinitionInvalid(f"items of type {raw.get('type')!r} are not supported", link_id)
    ends = [extension["valueString"] for extension in _extensions(raw, SCALE_ENDS)]
    unit = _extension(raw, UNIT, "valueCoding") or {}
    return Item(
        link_id=link_id,
        type=raw["type"],
        text=raw.get("text", ""),
        short=_extension(raw, SHORT, "valueString") or "",
        why=_extension(raw, WHY, "valueString") or "",
        hint=_extension(raw, HINT, "valueString") or "",
        layout=_extension(raw, LAYOUT, "valueCode") or "",
        unit=unit.get("display", unit.get("code", "")),
        scale_ends=(ends[0], ends[1]) if len(ends) == 2 else ("", ""),
        is_required=raw.get("required", False),
        repeats=raw.get("repeats", False),
        max_length=raw.get("maxLength"),
        minimum=_limit(raw, MINIMUM),
        maximum=_limit(raw, MAXIMUM),
        options=tuple(_parse_option(option, link_id) for option in raw.get("answerOption", [])),
        conditions=tuple(_parse_condition(condition, link_id) for condition in raw.get("enableWhen", [])),
        needs_all=_parse_behavior(raw, link_id),
        parent=parent,
        items=tuple(_parse_item(child, parent=link_id) for child in raw.get("item", [])),
    )


def _parse_option(raw: dict, link_id: str) -> Option:
    coding = raw.get("valueCoding") or {}
    code = coding.get("code") or raw.get("valueString") or raw.get("valueInteger")
    if code is None:
        raise DefinitionInvalid("an answerOption has neither a code, a string nor an integer", link_id)
    ordinal = _extension(coding, ORDINAL, "valueDecimal")
    if ordinal is None:
        ordinal = _extension(raw, ORDINAL, "valueDecimal")
    return Option(
        code=str(code),
        text=coding.get("display", str(code)),
        ordinal=None if ordinal is None else Decimal(str(ordinal)),
        is_exclusive=bool(_extension(raw, EXCLUSIVE, "valueBoolean")),
    )


def _parse_condition(raw: dict, link_id: str) -> Condition:
    operator, question = raw.get("operator"), raw.get("question", "")
    if operator not in OPERATORS:
        raise DefinitionInvalid(f"the operator {operator!r} is not supported", link_id)
    values = [value for key, value in raw.items() if key.startswith("answer")]
    if len(values) != 1:
        raise DefinitionInvalid(f"the condition on {question} needs exactly one answer", link_id)
    value = values[0]["code"] if isinstance(values[0], dict) and "code" in values[0] else values[0]
    if not isinstance(value, bool | int | float | str) or (operator == "exists" and not isinstance(value, bool)):
        raise DefinitionInvalid(f"the condition on {question} compares with something unsupported", link_id)
    return Condition(question=question, operator=operator, value=str(value) if isinstance(value, float) else value)


def _parse_behavior(raw: dict, link_id: str) -> bool:
    behavior = raw.get("enableBehavior")
    if behavior not in (None, "all", "any") or (behavior is None and len(raw.get("enableWhen", [])) > 1):
        raise DefinitionInvalid("several conditions need an enableBehavior of 'all' or 'any'", link_id)
    return behavior == "all"


def _parse_score(extension: dict) -> ScoreRule:
    parts = {}
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


def _limit(raw: dict, url: str) -> str | None:
    for extension in raw.get("extension", []):
        if extension.get("url") == url:
            return str(next(value for key, value in extension.items() if key.startswith("value")))
    return None


def _extensions(raw: dict, url: str) -> list[dict]:
    return [extension for extension in raw.get("extension", []) if extension.get("url") == url]


def _extension(raw: dict, url: str, value: str):
    return next((extension.get(value) for extension in _extensions(raw, url)), None)


def _check_whole(questionnaire: Questionnaire) -> None:
    seen: set[str] = set()
    for page in questionnaire.pages:
        for item in page.walk():
            if item.link_id in seen:
                raise DefinitionInvalid("this linkId is used twice", item.link_id)
            seen.add(item.link_id)
            _check_item(item)
    for item in questionnaire.items.values():
        for condition in item.conditions:
            _check_condition(item, condition, questionnaire)
    for score in questionnaire.scores:
        for link_id in score.items:
            if link_id not in seen:
                raise DefinitionInvalid(f"the score {score.measure} counts an item that is not there", link_id)
    _check_cycles(questionnaire)


def _check_item(item: Item) -> None:
    if item.type in ("choice", "open-choice") and not item.options:
        raise DefinitionInvalid("a choice without answers to choose", item.link_id)
    if item.options and item.type not in ("choice", "open-choice"):
        raise DefinitionInvalid(f"answers to choose are not supported for the type {item.type}", item.link_id)
    if len({option.code for option in item.options}) != len(item.options):
        raise DefinitionInvalid("the same answer is offered twice", item.link_id)
    if item.repeats and item.type not in ("choice", "open-choice"):
        raise DefinitionInvalid(f"a repeating item of type {item.type} is not supported", item.link_id)
    for limit in (item.minimum, item.maximum):
        if limit is not None:
            try:
                comparable(item, limit)
            except (ValueError, InvalidOperation):
                raise DefinitionInvalid(
                    f"the limit {limit!r} does not fit the type {item.type}", item.link_id
                ) from None


def _check_condition(item: Item, condition: Condition, questionnaire: Questionnaire) -> None:
    target = questionnaire.items.get(condition.question)
    if target is None or not target.is_question:
        raise DefinitionInvalid(f"it depends on {condition.question!r}, which is no question here", item.link_id)
    if condition.operator not in ("exists", "=", "!=") and target.type not in ORDERED_TYPES:
        raise DefinitionInvalid(f"{condition.operator!r} cannot compare answers of type {target.type}", item.link_id)
    if condition.operator != "exists":
        try:
            comparable(target, condition.value)
        except (ValueError, InvalidOperation):
            raise DefinitionInvalid(f"{condition.value!r} is no answer to {target.link_id}", item.link_id) from None


def _check_cycles(questionnaire: Questionnaire) -> None:
    """An item waits for its parent and for the questions it depends on; nobody may wait for himself."""
    done: set[str] = set()
    for start in questionnaire.items:
        path, stack = [], [(start, False)]
        while stack:
            link_id, is_left = stack.pop()
            if is_left:
                done.add(path.pop())
            elif link_id in path:
                raise DefinitionInvalid("its condition waits for itself", link_id)
            elif link_id not in done:
                path.append(link_id)
                item = questionnaire.items[link_id]
                waits_for = [condition.question for condition in item.conditions] + (
                    [item.parent] if item.parent else []
                )
                stack += [(link_id, True), *((target, False) for target in waits_for)]
