"""What happened to a visit, written down in the transaction in which it happens."""

from datetime import datetime

from booking.models import Appointment, AppointmentEvent
from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.practice.models import User


def lock_appointment(appointment: Appointment) -> Appointment:
    """The visit as it is now, its row locked until the transaction ends."""
    return Appointment.objects.select_for_update(of=("self",)).select_related("patient").get(pk=appointment.pk)


def record_event(
    appointment: Appointment,
    kind: AppointmentEvent.Kind,
    action: Action = Action.UPDATE,
    *,
    by: User | None,
    now: datetime,
) -> None:
    """Add to the visit's history, and to the trail of who touched what about a patient."""
    AppointmentEvent.objects.create(appointment=appointment, kind=kind, at=now, by=by, starts_at=appointment.starts_at)
    record_access(actor=by, action=action, subject=appointment, patient_id=appointment.patient_id, now=now)
