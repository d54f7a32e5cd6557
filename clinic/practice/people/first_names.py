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

    Keeps letters with their accents, hyphens and apostrophes. Other characters are omitted, such as those of a link,
    line breaks, and control characters that reverse the text.
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
    """Record that the patient opted in to their first name in messages at `now`, or opted out. Idempotent."""
    patient = Patient.objects.select_for_update().get(pk=patient.pk)
    if bool(patient.first_name_since) == is_wanted:
        return
    patient.first_name_since = now if is_wanted else None
    patient.save(update_fields=["first_name_since"])
    record_access(actor=None, action=Action.UPDATE, subject=patient, patient_id=patient.pk, now=now)
