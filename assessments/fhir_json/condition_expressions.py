"""Convert enableWhenExpression to enableWhen, which also works in the page's script and in copies of groups. Pure.

It converts comparisons of one answer with a literal and tests for the existence of an answer, all joined by "and" or
all by "or". Other expressions, those on a repeating item, and those beside an enableWhen have no effect; `untranslated`
returns the linkIds of their items.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assessments.fhir_json.names import ENABLE_WHEN, extension_value
from assessments.questionnaire.expressions import LONGEST

WHERE = r"\.where\(\s*linkId\s*=\s*'([^']*)'\s*\)"
PATH = rf"(?:%resource|QuestionnaireResponse)(?:\.descendants\(\)|\.item|\.answer|{WHERE})*{WHERE}\.answer"
EXISTS = re.compile(rf"{PATH}(?:\.value)?(?P<how>\.exists\(\)|\.exists\(\)\.not\(\)|\.empty\(\))")
COMPARED = re.compile(
    rf"{PATH}\.value(?P<code>\.code)?\s*(?P<operator>=|>=|<=|>|<)\s*"
    r"(?P<literal>true|false|'[^'\\]*'|-?[0-9]+(?:\.[0-9]+)?|@[0-9]{4}-[0-9]{2}-[0-9]{2})"
)
IS_TRUE = re.compile(rf"{PATH}\.value")
QUOTED = re.compile(r"'[^']*'")


@dataclass(frozen=True)
class _RawItem:
    """An item of the file, the linkIds above it, and whether it or an item above it repeats."""

    raw: dict
    above: tuple[str, ...]
    is_repeated: bool


def with_conditions(definition: dict) -> list[dict]:
    """Return the items of `definition`, with expressions converted to enableWhen where possible."""
    raw_items = _raw_items(definition)
    return [_translate(item, raw_items) for item in definition.get("item", [])]


def untranslated(definition: dict) -> set[str]:
    """Return the linkIds whose enableWhenExpression has no effect."""
    raw_items = _raw_items(definition)
    return {link_id for link_id, item in raw_items.items() if _expression(item.raw) and not _read(item.raw, raw_items)}


def _translate(raw: dict, raw_items: dict[str, _RawItem]) -> dict:
    item = {**raw, **(_read(raw, raw_items) or {})}
    if "item" in raw:
        item["item"] = [_translate(child, raw_items) for child in raw["item"]]
    return item


def _expression(raw: dict) -> str:
    found = extension_value(raw, ENABLE_WHEN)
    return found.get("expression", "") if isinstance(found, dict) else ""


def _read(raw: dict, raw_items: dict[str, _RawItem]) -> dict | None:
    """Return the enableWhen and enableBehavior that are equivalent to the expression of `raw`.

    None if it has no expression, or one that has no effect.
    """
    expression = _expression(raw)
    if not isinstance(expression, str) or not 0 < len(expression) <= LONGEST or "enableWhen" in raw:
        return None
    blank = QUOTED.sub(lambda quoted: "_" * len(quoted[0]), expression)  # ignore "and" inside quotes
    joints = list(re.finditer(r"\s(and|or)\s", blank))
    if len({joint[1] for joint in joints}) > 1:
        return None
    ends = [0, *(end for joint in joints for end in joint.span()), len(expression)]
    parts = [expression[start:end].strip() for start, end in zip(ends[::2], ends[1::2], strict=True)]
    conditions = [
        _read_part(part.removeprefix("(").removesuffix(")") if part[:1] == "(" else part, raw_items) for part in parts
    ]
    if None in conditions:
        return None
    return {"enableWhen": conditions, "enableBehavior": "any" if joints and joints[0][1] == "or" else "all"}


def _read_part(part: str, raw_items: dict[str, _RawItem]) -> dict | None:
    named = re.findall(WHERE, part)
    target = raw_items.get(named[-1]) if named else None
    if target is None or target.is_repeated or not set(named[:-1]) <= set(target.above):
        return None
    condition, kind = {"question": named[-1]}, target.raw.get("type")
    if found := EXISTS.fullmatch(part):
        return {**condition, "operator": "exists", "answerBoolean": found["how"] == ".exists()"}
    if IS_TRUE.fullmatch(part) and kind == "boolean":
        return {**condition, "operator": "=", "answerBoolean": True}
    found = COMPARED.fullmatch(part)
    if found is None:
        return None
    answer = _read_literal(found["literal"], kind, bool(found["code"]))
    return {**condition, "operator": found["operator"], **answer} if answer else None


def _read_literal(literal: str, kind: str | None, is_code: bool) -> dict | None:
    if literal.startswith("'"):
        if is_code:
            return {"answerCoding": {"code": literal[1:-1]}} if kind == "choice" else None
        return {"answerString": literal[1:-1]} if kind in ("string", "text") else None
    if literal in ("true", "false"):
        return {"answerBoolean": literal == "true"} if kind == "boolean" and not is_code else None
    if literal.startswith("@"):
        return {"answerDate": literal[1:]} if kind == "date" and not is_code else None
    if kind not in ("integer", "decimal") or is_code or (kind == "integer" and "." in literal):
        return None
    return {"answerInteger": int(literal)} if kind == "integer" else {"answerDecimal": float(literal)}


def _raw_items(definition: dict) -> dict[str, _RawItem]:
    def walk(raw: dict, above: tuple[str, ...], is_repeated: bool) -> Iterator[tuple[str, _RawItem]]:
        for item in raw.get("item", []):
            link_id = str(item.get("linkId", ""))
            is_many = is_repeated or bool(item.get("repeats"))
            yield link_id, _RawItem(item, above, is_many)
            yield from walk(item, (*above, link_id), is_many)

    return dict(walk(definition, (), False))
