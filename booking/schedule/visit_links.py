"""Links for patients to a visit and its questions. Each call issues a new link; only its hash is stored.

`proof` is how the link is delivered: SHOWN in a browser or a text, or MAILED to the patient's mailbox only.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from booking.models import Appointment
from clinic.practice.access.links import issue_link
from clinic.practice.models import LinkPurpose, Proof

OPENS_AFTER_VISIT = timedelta(days=14)  # so that the patient can look it up afterwards


def visit_path(appointment: Appointment, *, proof: Proof = Proof.SHOWN, now: datetime) -> str:
    """Issue a link and return the path of the patient's page of the visit."""
    return reverse("booking:visit", args=[_token(appointment, LinkPurpose.VISIT, appointment.pk, proof, now)])


def visit_url(appointment: Appointment, *, now: datetime) -> str:
    """Issue a link for an email, and return the URL of the patient's page of the visit."""
    return settings.SITE_URL + visit_path(appointment, proof=Proof.MAILED, now=now)


def intake_path(appointment: Appointment, *, proof: Proof = Proof.SHOWN, now: datetime) -> str:
    """Issue a link and return the path of the questions before the visit. Raises ValueError if there are none."""
    if appointment.intake_id is None:
        raise ValueError("the visit has no questions")
    token = _token(appointment, LinkPurpose.INTAKE, appointment.intake_id, proof, now)
    return reverse("assessments:start", args=[token])


def intake_url(appointment: Appointment, *, now: datetime) -> str:
    """Issue a link for an email, and return the URL of the questions before the visit.

    Raises ValueError if there are none.
    """
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
