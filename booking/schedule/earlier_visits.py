"""The rule that a follow-up needs an earlier visit of the patient, past or upcoming."""

from datetime import datetime

from booking.models import Appointment, Purpose, Service
from booking.schedule.errors import NeedsEarlierVisit
from clinic.practice.models import Patient


def has_earlier_visit(patient: Patient, *, before: datetime | None = None) -> bool:
    """Whether `patient` has a booked or completed visit, other than a call, that starts before `before` (if given).

    An upcoming visit counts, because an evaluation and its follow-up are often booked together. A follow-up whose
    earlier visit is canceled or missed remains booked, and the Today page lists it (`off_schedule`, Because.ALONE).
    """
    visits = Appointment.objects.booked_or_completed().filter(patient=patient).exclude(service__purpose=Purpose.CALL)
    return (visits if before is None else visits.filter(starts_at__lt=before)).exists()


def require_earlier_visit(*, service: Service, patient: Patient | None, starts_at: datetime) -> None:
    """Raise NeedsEarlierVisit for a follow-up without a visit that starts before it.

    `patient` is the one proven by a mailed link; None for a visitor. No patient is looked up for a visitor, so that the
    response does not reveal who is a patient.
    """
    if service.is_follow_up and (patient is None or not has_earlier_visit(patient, before=starts_at)):
        raise NeedsEarlierVisit
