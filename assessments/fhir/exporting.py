"""Export responses as FHIR R4 QuestionnaireResponses. `subject` has only an opaque id of the patient.

https://hl7.org/fhir/R4/questionnaireresponse.html
"""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from assessments.calculation.response_items import write_items
from assessments.models import Response
from clinic.practice.models import Clinic


def export_response(response: Response, *, zone: ZoneInfo | None = None) -> dict:
    """Return `response` as FHIR JSON. `zone` is the clinic's, read from the database if not given."""
    parsed = response.questionnaire.parsed
    exported = {
        "resourceType": "QuestionnaireResponse",
        "id": str(response.pk),
        "questionnaire": _canonical(response),
        "status": "amended" if response.changed_at else response.status,
        "subject": {"reference": f"Patient/{response.patient_id}"},
        "authored": (
            response.changed_at or response.completed_at or response.saved_at or response.created_at
        ).isoformat(),
    }
    items = write_items(parsed, response.answers, zone=zone or Clinic.objects.current().zone)
    return exported | ({"item": items} if items else {})


def _canonical(response: Response) -> str:
    """Return the canonical of the version that was answered. A missing url is replaced by our id, a version by ours."""
    parsed = response.questionnaire.parsed
    url = parsed.url or f"urn:uuid:{response.questionnaire_id}"
    return f"{url}|{parsed.version or response.questionnaire.version}"


def export_ndjson(responses: Iterable[Response]) -> Iterator[str]:
    """Yield one line of FHIR JSON for each of `responses`, as in https://hl7.org/fhir/uv/bulkdata."""
    zone = Clinic.objects.current().zone
    for response in responses:
        yield json.dumps(export_response(response, zone=zone), ensure_ascii=False, separators=(",", ":")) + "\n"


def export_bundle(responses: Iterable[Response], *, now: datetime) -> dict:
    """Return `responses` as one Bundle of the type collection."""
    zone = Clinic.objects.current().zone
    entries = [
        {"fullUrl": f"urn:uuid:{response.pk}", "resource": export_response(response, zone=zone)}
        for response in responses
    ]
    bundle = {"resourceType": "Bundle", "type": "collection", "timestamp": now.isoformat()}
    return bundle | ({"entry": entries} if entries else {})
