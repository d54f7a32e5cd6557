"""Parse answer options from answerOption, or from a ValueSet contained in the questionnaire. Pure."""

from collections.abc import Iterator
from decimal import Decimal

from assessments.fhir_json.names import EXCLUSIVE, WEIGHTS, extension_value, typed_value
from assessments.questionnaire.model import InvalidQuestionnaire, Option


def read_options(raw: dict, contained: dict[str, dict]) -> tuple[Option, ...]:
    """Return the options of the item `raw`; `contained` has the questionnaire's contained resources by id.

    Raises InvalidQuestionnaire.
    """
    link_id = raw["linkId"]
    if "answerValueSet" not in raw:
        return tuple(_read_option(option, link_id) for option in raw.get("answerOption", []))
    name = raw["answerValueSet"]
    value_set = contained.get(name.removeprefix("#")) if name.startswith("#") else None
    if value_set is None:
        raise InvalidQuestionnaire(f"its list of answers is not in the file: {name}", link_id)
    return tuple(_read_value_set(value_set, link_id))


def _read_option(raw: dict, link_id: str) -> Option:
    found = typed_value(raw)
    if found is None:
        raise InvalidQuestionnaire("an answerOption has neither a code, a string nor an integer", link_id)
    kind, value = found
    coding = value if isinstance(value, dict) else {}
    code = coding.get("code") or coding.get("reference") or coding.get("display") if coding else value
    if code is None:
        raise InvalidQuestionnaire("an answerOption has neither a code, a string nor an integer", link_id)
    return Option(
        code=str(code),
        text=coding.get("display") or str(code),
        ordinal=_weight(coding, raw),
        is_exclusive=bool(extension_value(raw, EXCLUSIVE)),
        kind=kind,
        system=coding.get("system", ""),
    )


def _read_value_set(value_set: dict, link_id: str) -> Iterator[Option]:
    """Yield the concepts of the expansion, or else of compose, as options.

    Raises InvalidQuestionnaire if compose excludes concepts, or includes some without listing them.
    """
    entries = [(one, one.get("system", "")) for one in value_set.get("expansion", {}).get("contains", [])]
    compose = value_set.get("compose", {})
    if not entries:
        includes = compose.get("include", [])
        if compose.get("exclude") or any("concept" not in one for one in includes):
            raise InvalidQuestionnaire(f"the ValueSet {value_set.get('id')} is defined by rules, not listed", link_id)
        entries = [(concept, one.get("system", "")) for one in includes for concept in one["concept"]]
    for concept, system in entries:
        weight = _weight(concept)
        yield Option(concept["code"], concept.get("display") or concept["code"], weight, system=system)


def _weight(*places: dict) -> Decimal | None:
    weights = (extension_value(place, *WEIGHTS) for place in places)
    found = next((weight for weight in weights if weight is not None), None)
    return None if found is None else Decimal(str(found))
