"""The links by which a patient reaches a visit and its questions. Each call makes a new one; only its hash is stored.

`proof` says where the link goes: SHOWN to a browser or a phone, MAILED to the patient's mailbox and nowhere else.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from booking.models import Appointment
from clinic.practice.access.links import issue_link
from clinic.practice.models import LinkPurpose, Proof

OPENS_AFTER_VISIT = timedelta(days=14)  # long enough to look up what was said and where it was


def visit_path(appointment: Appointment, *, proof: Proof = Proof.SHOWN, now: datetime) -> str:
    """The path of the page on which the patient sees and cancels the visit."""
    return reverse("booking:visit", args=[_token(appointment, LinkPurpose.VISIT, appointment.pk, proof, now)])


def visit_url(appointment: Appointment, *, now: datetime) -> str:
    """The same with the site's address, for mails."""
    return settings.SITE_URL + visit_path(appointment, proof=Proof.MAILED, now=now)


def intake_path(appointment: Appointment, *, proof: Proof = Proof.SHOWN, now: datetime) -> str:
    """The path of the questions before the visit. Raises ValueError if it has none."""
    if appointment.intake_id is None:
        raise ValueError("the visit has no questions")
    token = _token(appointment, LinkPurpose.INTAKE, appointment.intake_id, proof, now)
    return reverse("assessments:start", args=[token])


def intake_url(appointment: Appointment, *, now: datetime) -> str:
    """The same with the site's address, for mails."""
    return settings.SITE_URL + intake_path(appointment, proof=Proof.MAILED, now=now)


def _token(appointment: Appointment, purpose: LinkPurpose, subject_id: UUID, proof: Proof, now: datetime) -> str:
    return issue_link(
        patient=appointment.booked_patient,
        purpose=purpose,
        subject_id=subject_id,
        proof=proof,
        expires_at=max(appointment.ends_at, now) + OPENS_AFTER_VISIT,
        now=now,
    )
