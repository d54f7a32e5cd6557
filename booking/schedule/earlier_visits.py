"""Follow-ups are for patients with an earlier visit, past or still ahead: whether they have one, asked in one place."""

from datetime import datetime

from booking.models import Appointment, Purpose, Service
from booking.schedule.errors import NeedsEarlierVisit
from clinic.practice.models import Patient


def has_earlier_visit(patient: Patient, *, before: datetime | None = None) -> bool:
    """Whether `patient` has a visit other than a call that stands: one that starts `before`, if given.

    One that is booked and still ahead counts: an evaluation and the follow-up after it are booked together. A follow-up
    whose earlier visit is cancelled or missed stays booked; Today lists it (`off_schedule`, Because.ALONE).
    """
    visits = Appointment.objects.standing().filter(patient=patient).exclude(service__purpose=Purpose.CALL)
    return (visits if before is None else visits.filter(starts_at__lt=before)).exists()


def require_earlier_visit(*, service: Service, patient: Patient | None, starts_at: datetime) -> None:
    """Refuse a follow-up without a visit that starts before it. `patient` is who a mailed link vouches for, None for a visitor.

    For a visitor nothing is looked up, so the answer tells nothing of who is known. Raises NeedsEarlierVisit.
    """
    if service.is_follow_up and (patient is None or not has_earlier_visit(patient, before=starts_at)):
        raise NeedsEarlierVisit
