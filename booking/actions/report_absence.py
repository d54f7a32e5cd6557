"""Record that a patient cannot come when it is too late to cancel online, and alert the clinic."""

from datetime import datetime

from booking.actions.attend import is_allowed
from booking.messages.names import NOT_COMING
from booking.models import Appointment, AppointmentEvent
from booking.models.visit_states import Act
from booking.schedule.errors import TooLateToChange
from booking.schedule.history import lock_appointment, record_event, require_version
from booking.schedule.locking import row_locks
from clinic.outbox.messages.planning import plan_message


@row_locks()
def note_not_coming(*, appointment: Appointment, version: int | None = None, now: datetime) -> Appointment:
    """Record that the patient cannot come to a booked visit, and alert the clinic once. Idempotent.

    The patient's confirmation is withdrawn, but the visit remains booked. Staff cancel or move it after they have
    spoken with the patient.

    Raises VisitChanged if it is not at the `version` that the page showed, TooLateToChange if it has begun, is not
    booked or is marked as arrived, or BusyTryAgain.
    """
    appointment = lock_appointment(appointment)
    require_version(appointment, version)
    if not is_allowed(appointment, Act.CANNOT_COME, now=now):
        raise TooLateToChange
    if appointment.not_coming_at is None:
        appointment.not_coming_at, appointment.confirmed_at = now, None
        appointment.save(update_fields=["not_coming_at", "confirmed_at"])
        record_event(appointment, AppointmentEvent.Kind.NOT_COMING, by=None, now=now)
        plan_message(
            kind=NOT_COMING,
            subject_id=appointment.pk,
            version=appointment.events.filter(kind=AppointmentEvent.Kind.NOT_COMING).count(),
            patient=None,
            due_at=now,
            not_after=appointment.ends_at,
            now=now,
        )
    return appointment
