"""A patient says, too late to cancel online, that they cannot come: note it and tell the clinic, which decides what follows."""

from datetime import datetime

from django.urls import reverse

from booking.actions.attend import is_allowed
from booking.models import Appointment, AppointmentEvent
from booking.models.visit_states import Act
from booking.schedule.errors import TooLateToChange
from booking.schedule.history import lock_appointment, record_event, require_version
from booking.schedule.locking import row_locks
from clinic.outbox.messages.alerts import staff_email, why_clinic_unreachable
from clinic.outbox.messages.kinds import Email, MessageKind, register_kind
from clinic.outbox.messages.planning import plan_message
from clinic.outbox.models import Message

NOT_COMING = "staff_not_coming"
Status = Appointment.Status


@row_locks()
def note_not_coming(*, appointment: Appointment, version: int | None = None, now: datetime) -> Appointment:
    """Note that the patient cannot come to a visit that stands, and tell the clinic once. Idempotent.

    The time stays theirs: staff cancel or move the visit when they have spoken.
    Raises VisitChanged if it is not at the `version` that the page showed, TooLateToChange once it has begun or does not
    stand, or BusyTryAgain.
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


def register_not_coming() -> None:
    """Tell the outbox of the alert. Called once, when the app is ready."""
    register_kind(
        MessageKind(
            NOT_COMING, _render, _why_unwanted, respects_quiet_hours=False, label="To the clinic: a patient cannot come"
        )
    )


def _render(message: Message, now: datetime) -> Email:
    path = reverse("admin:booking_appointment_change", args=[message.subject_id])
    return staff_email(NOT_COMING, now=now, path=path, button_text="Open the visit")


def _why_unwanted(message: Message, now: datetime) -> str | None:
    standing = Appointment.objects.filter(pk=message.subject_id, status=Status.BOOKED, not_coming_at__isnull=False)
    return why_clinic_unreachable() if standing.exists() else "the patient comes, or the visit was changed"
