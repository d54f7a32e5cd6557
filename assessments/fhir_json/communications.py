"""FHIR R4 Communications for how staff reached a patient. https://hl7.org/fhir/R4/communication.html"""

from datetime import datetime
from typing import Any

MODES = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode"
MODE = {"phone": "PHONE", "text": "SMSWRIT", "email": "EMAILWRIT", "in-person": "PHYSICAL"}
NOT_REACHED = "not-reached"


def write_communication(
    *, id: str, patient: str, flag: str, reached: str, at: datetime, note: str
) -> dict[str, Any] | None:
    """Return the Communication with a patient about a flag; None if no one tried to reach the patient.

    `reached` is a code of MODE or NOT_REACHED. `patient` and `flag` are ids, `at` has a zone.
    """
    if not reached:
        return None
    resource: dict[str, Any] = {
        "resourceType": "Communication",
        "id": id,
        "status": "not-done" if reached == NOT_REACHED else "completed",
        "subject": {"reference": f"Patient/{patient}"},
        "about": [{"reference": f"Flag/{flag}"}],
        "sent": at.isoformat(),
    }
    if reached in MODE:
        resource["medium"] = [{"coding": [{"system": MODES, "code": MODE[reached]}]}]
    return resource | ({"note": [{"text": note}]} if note else {})
