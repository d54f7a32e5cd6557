"""Convert FHIR R5 questionnaires to R4. Pure. https://hl7.org/fhir/R5/questionnaire.html

versionAlgorithm and copyrightLabel are dropped. Items that R4 cannot express are refused.
"""

from assessments.fhir_json.names import walk_items
from assessments.questionnaire.model import InvalidQuestionnaire

R5_ONLY = {"versionAlgorithmString", "versionAlgorithmCoding", "copyrightLabel"}
R5_ITEM_ONLY = {"answerConstraint", "disabledDisplay"}
OPTION_TYPES = {"integer", "date", "time", "string", "text"}  # may have answerOption in R5; in R4 only choices may


def is_r5(definition: dict) -> bool:
    """Return whether `definition` has an element or an item type that only R5 has."""
    return bool(R5_ONLY & definition.keys()) or any(
        item.get("type") == "coding" or R5_ITEM_ONLY & item.keys() for item in walk_items(definition)
    )


def convert_r5(definition: dict) -> dict:
    """Return `definition` as R4; unchanged unless `is_r5`.

    Raises InvalidQuestionnaire for an item that R4 cannot express.
    """
    if not is_r5(definition):
        return definition
    kept = {key: value for key, value in definition.items() if key not in R5_ONLY}
    return kept | {"item": [_convert_item(item) for item in definition.get("item", [])]}


def _convert_item(raw: dict) -> dict:
    link_id, kind = raw.get("linkId", ""), raw.get("type")
    item = {key: value for key, value in raw.items() if key not in R5_ITEM_ONLY}
    if raw.get("disabledDisplay", "hidden") != "hidden":
        raise InvalidQuestionnaire("R4 cannot show a disabled question", link_id)
    has_choices = "answerOption" in raw or "answerValueSet" in raw
    if kind == "coding" and not has_choices:
        raise InvalidQuestionnaire("a coding without a list of codes cannot be asked", link_id)
    if kind == "coding" or (kind in OPTION_TYPES and has_choices):
        item["type"] = _choice_type(raw.get("answerConstraint", "optionsOnly"), kind, link_id)
    elif has_choices:
        raise InvalidQuestionnaire(f"R4 has no list of answers for the type {kind}", link_id)
    if "item" in raw:
        item["item"] = [_convert_item(child) for child in raw["item"]]
    return item


def _choice_type(constraint: str, kind: str, link_id: str) -> str:
    is_text = kind in ("string", "text")
    if constraint == "optionsOnly":
        return "choice"
    if constraint == "optionsOrString" or (constraint == "optionsOrType" and is_text):
        return "open-choice"
    raise InvalidQuestionnaire(f"R4 has no {constraint} for the type {kind}", link_id)
