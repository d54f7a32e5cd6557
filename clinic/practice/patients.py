"""Who is who among the patients."""

import unicodedata

from django.db.models import Value
from django.db.models.functions import Lower

from clinic.audit.access import record_access
from clinic.audit.models import Action

from .models import Patient
from .zones import zone_names


def find_or_register_patient(
    *, name: str, email: str, phone: str, time_zone: str = "", may_update: bool = False, now
) -> Patient:
    """The patient with this e-mail and name (in any letter case), registered now if there is none yet.

    `phone` is E.164 or empty. A newer phone number or time zone replaces the one we had only if somebody vouches for who
    this is (`may_update`): whoever knows a name and an address must not turn our calls to another number. Safe when two forms arrive at once: the unique constraint lets one of them register.
    The caller must answer the same way whoever comes back, so that nobody learns who is known here.
    """
    name, email = normalise_name(name), email.strip()
    time_zone = time_zone if time_zone in zone_names() else ""  # a browser's word for it
    registered = Patient(name=name, email=email, phone=phone, time_zone=time_zone, created_at=now)
    Patient.objects.bulk_create([registered], ignore_conflicts=True)
    patient = _same_person(name=name, email=email)
    newer = {
        field: value
        for field, value in (("phone", phone), ("time_zone", time_zone))
        if value and value != getattr(patient, field) and (may_update or not getattr(patient, field))
    }
    if newer:
        for field, value in newer.items():
            setattr(patient, field, value)
        patient.save(update_fields=list(newer))
    if newer or patient.pk == registered.pk:
        action = Action.CREATE if patient.pk == registered.pk else Action.UPDATE
        record_access(actor=None, action=action, subject=patient, patient_id=patient.pk, now=now)
    return patient


def normalise_name(name: str) -> str:
    """`name` with its accents composed and its spaces single, so that the same name is the same text."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def _same_person(*, name: str, email: str) -> Patient:
    keyed = Patient.objects.alias(email_key=Lower("email"), name_key=Lower("name"))
    return keyed.get(email_key=Lower(Value(email)), name_key=Lower(Value(name)))
