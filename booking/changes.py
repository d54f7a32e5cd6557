"""Changing a visit that stands: moving it, cancelling it, and taking the cancellation back. All or nothing."""

from datetime import UTC, datetime

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from booking.diary_lock import locked_diaries
from booking.freed_times import offer_freed_time, time_of, withdraw_offers
from booking.history import lock_appointment, record_event
from booking.holds import drop_expired_holds
from booking.models import Appointment, AppointmentEvent
from booking.off_schedule import accept_reasons
from booking.refusals import BusyTryAgain, TooLateToChange, TooLateToUndo
from booking.reminders import (
    UNDO_FOR,
    plan_cancelled_message,
    plan_messages_after_move,
    plan_messages_again,
)
from booking.rules import change_deadline, lock_patient, require_free, require_no_own_visit, require_own_time_free
from clinic.practice.links import restore_links, revoke_links
from clinic.practice.models import Clinic, LinkPurpose, Therapist, User

Status, Kind = Appointment.Status, AppointmentEvent.Kind


def move_appointment(
    *,
    appointment: Appointment,
    starts_at: datetime,
    therapist: Therapist | None = None,
    despite_rules: bool = False,
    is_own: bool = True,
    by: User | None = None,
    now: datetime,
) -> Appointment:
    """Move a visit to `starts_at` (and to another `therapist`, if given). Moving it to where it is changes nothing.

    One row changes, so the old time is free in the instant in which the new one is taken, and not before. The visit's
    links are revoked, its reminders planned anew, the patient is told, and the old time is offered to those who wait. The patient (`by` None) can until the
    clinic's change window begins, staff until it is over; staff may break rules that they have seen (`despite_rules`).
    Without `is_own`, a mailed link has not shown whose visit it is: then the patient's other visits do not count, as a
    refusal would tell of them.
    Raises TooLateToChange, SlotTaken, SlotNotOffered or BusyTryAgain; then nothing was written.
    """
    if despite_rules and by is None:
        raise ValueError("Only staff may break a rule.")
    starts_at, from_therapist = starts_at.astimezone(UTC), appointment.therapist_id
    with locked_diaries({from_therapist, therapist.pk if therapist else from_therapist}):
        lock_patient(appointment.patient_id)
        appointment = lock_appointment(appointment)
        if appointment.therapist_id != from_therapist:
            raise BusyTryAgain  # moved to another diary a moment ago, which is not locked
        therapist = therapist or appointment.therapist
        clinic = Clinic.objects.current()
        if not is_changeable(appointment, clinic=clinic, by=by, now=now):
            raise TooLateToChange
        if (appointment.therapist_id, appointment.starts_at) == (therapist.pk, starts_at):
            return appointment
        require_free(
            service=appointment.service,
            therapist=therapist,
            starts_at=starts_at,
            mode=appointment.mode,
            now=now,
            clinic=clinic,
            in_place_of=appointment,
            patient=appointment.patient if is_own or by else None,
            despite_rules=despite_rules,
        )
        drop_expired_holds(therapist=therapist, now=now)
        freed = time_of(appointment)
        _write_move(appointment, therapist, starts_at)
        if despite_rules:
            accept_reasons(appointment, now=now)
        revoke_links(subject_id=appointment.pk, purposes=[LinkPurpose.VISIT], now=now)
        record_event(appointment, Kind.MOVED, by=by, now=now)
        plan_messages_after_move(appointment, clinic=clinic, by=by, now=now)
        offer_freed_time(freed, freed_by=appointment, clinic=clinic, now=now)
        return appointment


def _write_move(appointment: Appointment, therapist: Therapist, starts_at: datetime) -> None:
    shape = appointment.shape_of(appointment.service)
    blocked = shape.blocked(starts_at)
    appointment.therapist, appointment.starts_at = therapist, starts_at
    appointment.ends_at = shape.visit(starts_at).end
    appointment.blocked = DateTimeTZRange(blocked.start, blocked.end)
    appointment.confirmed_at = appointment.not_coming_at = None  # that was said of another time
    appointment.arrived_at = None
    appointment.off_schedule_accepted = []
    appointment.version += 1
    appointment.sequence += 1
    appointment.save(
        update_fields=[
            "therapist",
            "starts_at",
            "ends_at",
            "blocked",
            "confirmed_at",
            "not_coming_at",
            "off_schedule_accepted",
            "arrived_at",
            "version",
            "sequence",
        ]
    )


@transaction.atomic
def cancel_appointment(*, appointment: Appointment, by: User | None = None, now: datetime) -> Appointment:
    """Cancel a visit, free its time, withdraw its reminders; once it cannot be undone any more, tell the patient, and
    those who wait for such a time.

    Cancelling twice changes nothing. The patient (`by` None) can until the clinic's change window begins, staff at any
    time before it is over. Raises TooLateToChange.
    """
    appointment = lock_appointment(appointment)
    if appointment.status == Status.CANCELLED:
        return appointment
    clinic = Clinic.objects.current()
    if not is_changeable(appointment, clinic=clinic, by=by, now=now):
        raise TooLateToChange
    appointment.status, appointment.arrived_at = Status.CANCELLED, None
    appointment.cancelled_at, appointment.cancelled_by = now, by
    _save_new_state(appointment)
    if appointment.intake_id:
        revoke_links(subject_id=appointment.intake_id, purposes=[LinkPurpose.INTAKE], now=now)
    record_event(appointment, Kind.CANCELLED, by=by, now=now)
    plan_cancelled_message(appointment, now=now)
    offer_freed_time(time_of(appointment), freed_by=appointment, clinic=clinic, now=now)
    return appointment


def undo_cancellation(
    *, appointment: Appointment, is_own: bool = True, by: User | None = None, now: datetime
) -> Appointment:
    """Let a visit stand again within three minutes of cancelling it, before any mail has gone; the links to its questions
    that the cancellation revoked open again. Twice changes nothing.

    Booking rules are not checked again; only a visit or hold that took the time meanwhile prevents it, and for the patient
    (`by` None, `is_own` as for a move) another visit of their own at that time.
    Raises TooLateToUndo, SlotTaken, SlotNotOffered or BusyTryAgain; then nothing was written.
    """
    with locked_diaries([appointment.therapist_id]):
        lock_patient(appointment.patient_id)
        appointment = lock_appointment(appointment)
        if appointment.status == Status.BOOKED:
            return appointment
        if not is_undoable(appointment, now=now):
            raise TooLateToUndo
        drop_expired_holds(therapist=appointment.therapist, now=now)
        require_own_time_free(appointment, now=now)
        if is_own and by is None:
            require_no_own_visit(appointment)
        withdraw_offers(freed_by=appointment, now=now)
        if appointment.intake_id:
            purposes, revoked_at = [LinkPurpose.INTAKE], appointment.cancelled_at
            restore_links(subject_id=appointment.intake_id, purposes=purposes, revoked_at=revoked_at)
        appointment.status, appointment.cancelled_at, appointment.cancelled_by = Status.BOOKED, None, None
        _save_new_state(appointment)
        record_event(appointment, Kind.RESTORED, by=by, now=now)
        plan_messages_again(appointment, clinic=Clinic.objects.current(), now=now)
        return appointment


def _save_new_state(appointment: Appointment) -> None:
    appointment.version += 1
    appointment.sequence += 1
    appointment.save(update_fields=["status", "arrived_at", "cancelled_at", "cancelled_by", "version", "sequence"])


def is_undoable(appointment: Appointment, *, now: datetime) -> bool:
    """Whether the visit was cancelled so lately that nobody has been told, and still lies ahead."""
    return (
        appointment.status == Status.CANCELLED
        and now < appointment.cancelled_at + UNDO_FOR
        and now < appointment.starts_at
    )


def changeable_until(appointment: Appointment, *, clinic: Clinic) -> datetime:
    """Until when the patient can move or cancel without calling."""
    return change_deadline(starts_at=appointment.starts_at, booked_at=appointment.created_at, clinic=clinic)


def is_changeable(appointment: Appointment, *, clinic: Clinic, by: User | None = None, now: datetime) -> bool:
    """Whether the visit still stands and may be changed by the patient (`by` None) or by staff at `now`."""
    last = appointment.ends_at if by is not None else changeable_until(appointment, clinic=clinic)
    return appointment.status == Status.BOOKED and now < last
