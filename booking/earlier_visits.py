"""Follow-ups are for patients who have been here: whether somebody has, asked in one place."""

from datetime import datetime

from booking.models import Appointment, Purpose, Service
from booking.refusals import NeedsEarlierVisit
from clinic.practice.models import Patient


def has_been_here(patient: Patient, *, before: datetime | None = None) -> bool:
    """Whether `patient` has a visit that stands, other than a call; one that starts `before`, if given."""
    visits = Appointment.objects.standing().filter(patient=patient).exclude(service__purpose=Purpose.CALL)
    return (visits if before is None else visits.filter(starts_at__lt=before)).exists()


def require_earlier_visit(*, service: Service, patient: Patient | None, starts_at: datetime) -> None:
    """Refuse a follow-up without a visit before it. `patient` is who a mailed link vouches for, None for a visitor.

    For a visitor nothing is looked up, so the answer tells nothing of who is known. Raises NeedsEarlierVisit.
    """
    if service.is_follow_up and (patient is None or not has_been_here(patient, before=starts_at)):
        raise NeedsEarlierVisit
