"""A response as a FHIR R4 QuestionnaireResponse. Who it is about is said by an opaque id only.

https://hl7.org/fhir/R4/questionnaireresponse.html
"""

from .enablement import enabled_items
from .models import Response
from .questionnaire import Item

VALUE_KEYS = {
    "boolean": "valueBoolean",
    "integer": "valueInteger",
    "decimal": "valueDecimal",
    "date": "valueDate",
    "string": "valueString",
    "text": "valueString",
}


def export_response(response: Response) -> dict:
    """`response` as FHIR JSON; questions that were not asked are left out, as FHIR wants it of a completed one."""
    parsed = response.questionnaire.parsed
    enabled = enabled_items(parsed, response.answers)
    exported = {
        "resourceType": "QuestionnaireResponse",
        "id": str(response.pk),
        "questionnaire": f"{parsed.url}|{parsed.version}",
        "status": response.status,
        "subject": {"reference": f"Patient/{response.patient_id}"},
        "authored": (response.completed_at or response.saved_at or response.created_at).isoformat(),
    }
    items = [item for page in parsed.pages if (item := _export_item(page, enabled, response.answers))]
    return exported | ({"item": items} if items else {})


def _export_item(item: Item, enabled: frozenset[str], answers: dict[str, list]) -> dict | None:
    if item.link_id not in enabled or item.type == "display":
        return None
    exported = {"linkId": item.link_id, "text": item.text}
    children = [child for one in item.items if (child := _export_item(one, enabled, answers))]
    if not item.is_question:
        return exported | {"item": children} if children else None
    given = [_export_value(item, value) for value in answers.get(item.link_id, [])]
    if not given:
        return None
    if children:  # below a question, further questions belong to its answer
        given[0]["item"] = children
    return exported | {"answer": given}


def _export_value(item: Item, value) -> dict:
    if isinstance(value, dict):
        return {"valueString": value["text"]}
    if item.options:
        return {"valueCoding": {"code": value, "display": item.option_text(value)}}
    return {VALUE_KEYS[item.type]: float(value) if item.type == "decimal" else value}
