"""Booking and cancelling visits: refuse, lock, write and plan the messages, in one transaction."""

import uuid
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from psycopg import errors

from assessments.responses import start_response
from booking.availability import require_free
from booking.diary_lock import locked_diaries
from booking.history import lock_appointment, record_event
from booking.models import Appointment, AppointmentEvent, Service
from booking.models.appointment import new_reference
from booking.refusals import TooLateToChange
from booking.reminders import plan_cancelled_message, plan_visit_messages
from clinic.audit.models import Action
from clinic.practice.links import revoke_links
from clinic.practice.models import Clinic, LinkPurpose, Patient, Therapist, User
from clinic.practice.patients import find_or_register_patient
from education.models import Article


def book_appointment(
    *,
    service: Service,
    therapist: Therapist,
    starts_at: datetime,
    mode: str,
    name: str,
    email: str,
    phone: str,
    visitor_time_zone: str = "",
    idempotency_key: uuid.UUID,
    source_article: Article | None = None,
    now: datetime,
    by: User | None = None,
) -> Appointment:
    """Book a visit at `starts_at` and plan its messages. The same key books once and returns the same visit.

    `phone` is E.164, `visitor_time_zone` an IANA name or empty for the clinic's; `by` is who of the staff, None for the
    patient. Raises SlotTaken, SlotNotOffered (with the reason) or BusyTryAgain; then nothing was written.
    """
    starts_at = starts_at.astimezone(UTC)
    try:
        with locked_diaries([therapist.pk]):
            if earlier := Appointment.objects.filter(idempotency_key=idempotency_key).first():
                return earlier
            clinic = Clinic.objects.current()
            require_free(service=service, therapist=therapist, starts_at=starts_at, mode=mode, now=now, clinic=clinic)
            drop_expired_holds(therapist=therapist, now=now)
            patient = find_or_register_patient(
                name=name, email=email, phone=phone, time_zone=visitor_time_zone, now=now
            )
            appointment = _write_booking(
                service=service,
                therapist=therapist,
                patient=patient,
                starts_at=starts_at,
                mode=mode,
                visitor_time_zone=visitor_time_zone,
                idempotency_key=idempotency_key,
                source_article=source_article,
                now=now,
            )
            record_event(appointment, AppointmentEvent.Kind.BOOKED, Action.CREATE, by=by, now=now)
            plan_visit_messages(appointment, clinic=clinic, now=now)
            return appointment
    except IntegrityError as error:
        # One form sent at once for two therapists: each waited for another diary, and the key's own constraint decided.
        twin = Appointment.objects.filter(idempotency_key=idempotency_key).first()
        if twin is None or not isinstance(error.__cause__, errors.UniqueViolation):
            raise
        return twin


def _write_booking(*, service: Service, patient: Patient, starts_at: datetime, now: datetime, **columns) -> Appointment:
    blocked = service.shape.blocked(starts_at)
    return Appointment.objects.create(
        reference=_free_reference(),
        service=service,
        patient=patient,
        starts_at=starts_at,
        ends_at=service.shape.visit(starts_at).end,
        blocked=DateTimeTZRange(blocked.start, blocked.end),
        status=Appointment.Status.BOOKED,
        intake=start_response(questionnaire_slug=service.intake_slug, patient=patient, now=now),
        created_at=now,
        **columns,
    )


def _free_reference() -> str:
    reference = new_reference()
    while Appointment.objects.filter(reference=reference).exists():
        reference = new_reference()
    return reference


def drop_expired_holds(*, therapist: Therapist, now: datetime) -> None:
    """Delete the holds of a therapist that ran out. Only under the diary's lock: until then a hold may be renewed."""
    Appointment.objects.filter(therapist=therapist, status=Appointment.Status.HELD, hold_expires_at__lte=now).delete()


@transaction.atomic
def cancel_appointment(*, appointment: Appointment, by: User | None = None, now: datetime) -> Appointment:
    """Cancel a visit, free its time, withdraw its reminders and tell the patient. Cancelling twice changes nothing.

    The patient (`by` None) can until the clinic's change window begins, staff at any time before it is over.
    Raises TooLateToChange.
    """
    appointment = lock_appointment(appointment)
    if appointment.status == Appointment.Status.CANCELLED:
        return appointment
    if not is_changeable(appointment, clinic=Clinic.objects.current(), by=by, now=now):
        raise TooLateToChange
    appointment.status = Appointment.Status.CANCELLED
    appointment.cancelled_at, appointment.cancelled_by = now, by
    appointment.version += 1
    appointment.sequence += 1
    appointment.save(update_fields=["status", "cancelled_at", "cancelled_by", "version", "sequence"])
    if appointment.intake_id:
        revoke_links(subject_id=appointment.intake_id, purposes=[LinkPurpose.INTAKE], now=now)
    record_event(appointment, AppointmentEvent.Kind.CANCELLED, Action.UPDATE, by=by, now=now)
    plan_cancelled_message(appointment, now=now)
    return appointment


def changeable_until(appointment: Appointment, *, clinic: Clinic) -> datetime:
    """Until when the patient can cancel without calling."""
    return appointment.starts_at - timedelta(hours=clinic.change_window_hours)


def is_changeable(appointment: Appointment, *, clinic: Clinic, by: User | None = None, now: datetime) -> bool:
    """Whether the visit still stands and may be cancelled by the patient (`by` None) or by staff at `now`."""
    last = appointment.ends_at if by is not None else changeable_until(appointment, clinic=clinic)
    return appointment.status == Appointment.Status.BOOKED and now < last
