"""First names in messages: only for patients who opted in, and without characters that could make a link."""

import unicodedata
from datetime import datetime

from django.db import transaction

from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.practice.models import Patient

LONGEST = 24  # characters


def first_name(name: str) -> str:
    """Return the first word of a full name, up to LONGEST characters; "" if it has no letter.

    The first letter is made upper case. Keeps letters with their accents, and hyphens and apostrophes inside the word.
    Other characters are omitted, such as those of a link, and control characters that reverse the text.
    """
    word = next(iter(unicodedata.normalize("NFC", name).split()), "")
    kept = "".join(one for one in word if unicodedata.category(one)[0] in "LM" or one in "-'’")
    kept = kept.strip("-'’")[:LONGEST]
    return kept[:1].upper() + kept[1:] if any(one.isalpha() for one in kept) else ""


def name_in_messages(patient: Patient | None) -> str:
    """Return the first name for messages to `patient`; "" unless the patient opted in."""
    return first_name(patient.name) if patient is not None and patient.first_name_since else ""


@transaction.atomic
def use_first_name(patient: Patient, *, is_wanted: bool, now: datetime) -> None:
    """Record at `now` that the patient wants their first name in messages, or no longer wants it. Idempotent.

    Writes a change to the audit log.
    """
    patient = Patient.objects.select_for_update().get(pk=patient.pk)
    if bool(patient.first_name_since) == is_wanted:
        return
    patient.first_name_since = now if is_wanted else None
    patient.save(update_fields=["first_name_since"])
    record_access(actor=None, action=Action.UPDATE, subject=patient, patient_id=patient.pk, now=now)
