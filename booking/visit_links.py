"""The links by which a patient reaches a visit and its questions. Each call makes a new one; only its hash is kept."""

from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from booking.models import Appointment
from clinic.practice.links import issue_link
from clinic.practice.models import LinkPurpose

OPENS_AFTER_VISIT = timedelta(days=14)  # long enough to look up what was said and where it was


def visit_path(appointment: Appointment, *, now: datetime) -> str:
    """The path of the page on which the patient sees and cancels the visit."""
    return reverse("booking:visit", args=[_token(appointment, LinkPurpose.VISIT, appointment.pk, now)])


def visit_url(appointment: Appointment, *, now: datetime) -> str:
    """The same with the site's address, for messages."""
    return settings.SITE_URL + visit_path(appointment, now=now)


def intake_path(appointment: Appointment, *, now: datetime) -> str:
    """The path of the questions before the visit. The appointment must have an intake."""
    return reverse("assessments:start", args=[_token(appointment, LinkPurpose.INTAKE, appointment.intake_id, now)])


def intake_url(appointment: Appointment, *, now: datetime) -> str:
    """The same with the site's address, for messages."""
    return settings.SITE_URL + intake_path(appointment, now=now)


def _token(appointment: Appointment, purpose: LinkPurpose, subject_id, now: datetime) -> str:
    return issue_link(
        patient=appointment.patient,
        purpose=purpose,
        subject_id=subject_id,
        expires_at=max(appointment.ends_at, now) + OPENS_AFTER_VISIT,
        now=now,
    )
