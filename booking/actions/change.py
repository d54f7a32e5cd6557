"""Move a visit, cancel it, and undo either, each in one transaction.

`version` is the visit's version on the page that sent the request. If the visit has changed since, the request is
refused (`history.require_version`).
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.dateparse import parse_datetime

from booking.actions.attend import FEE_EVENTS, is_allowed, is_late
from booking.actions.hold import drop_expired_holds
from booking.messages.last_told import VisitTerms, current_terms, news_of, reopen_links, terms_at, unannounced_moves
from booking.messages.planning import plan_cancelled_message, plan_messages_after_change
from booking.models import Appointment, AppointmentEvent, HoursOverride, SlotOffer
from booking.models.visit_states import UNDO_FOR, Act, State
from booking.schedule.errors import (
    BusyTryAgain,
    LengthNotOffered,
    NoLateFee,
    NotOfferedBecause,
    TimeClosed,
    TooLateToChange,
    TooLateToUndo,
)
from booking.schedule.history import lock_appointment, record_event, require_version
from booking.schedule.locking import locked_schedules, row_locks
from booking.schedule.off_schedule import accept_reasons
from booking.schedule.rules import (
    WAS_ASKED,
    allowed_minutes,
    change_deadline_of,
    is_asked_to_move,
    require_free,
    require_no_own_visit,
    require_time_free,
)
from booking.schedule.slots import Slot
from booking.time.intervals import Interval
from booking.wait_list.slot_offers import offer_freed_time, time_of, withdraw_offers
from clinic.practice.access.links import restore_links, revoke_links
from clinic.practice.models import Clinic, LinkPurpose, Therapist, User

Status, Kind = Appointment.Status, AppointmentEvent.Kind
MARKS = ("confirmed_at", "not_coming_at", "here_at", "arrived_at")  # of the patient at one time and place


def move_appointment(
    *,
    appointment: Appointment,
    starts_at: datetime,
    therapist: Therapist | None = None,
    minutes: int | None = None,
    despite_rules: Collection[NotOfferedBecause] = (),
    waived: Collection[NotOfferedBecause] = (),
    notify: bool = True,
    is_own: bool = True,
    version: int | str | None = None,
    by: User | None = None,
    now: datetime,
) -> Appointment:
    """Move a visit to `starts_at`, and to another `therapist` or length if given. A no-op if nothing would change.

    One row changes, so the old time becomes free at the moment that the new one is taken. The visit's reminders are
    planned again, and the old time is offered to the wait list. The links to the visit are revoked and the patient is
    notified. If the patient knows these terms already, the links are restored instead. The patient (`by` None) can move
    the visit until `change_deadline_of`, staff until it ends.

    Staff may override rules that they were shown (`despite_rules`), and choose one of `allowed_minutes`. Buffers and
    price stay as agreed. Without `notify`, no message about the move is sent and the patient's links stay valid;
    reminders show the new time.

    `waived` are rules that do not apply because staff offered the time. Set `is_own` to False for a patient who is not
    proven by a mailed link. Then their other visits are not checked, because a refusal would reveal them.

    Raises VisitChanged, TooLateToChange, LengthNotOffered, SlotTaken, SlotNotOffered or BusyTryAgain, in which case
    nothing was written. Raises ValueError for `despite_rules`, `minutes` or no `notify` without `by`.
    """
    if by is None and (despite_rules or minutes is not None or not notify):
        raise ValueError("Only staff may break a rule, choose a length or move a visit silently.")
    starts_at, from_therapist = starts_at.astimezone(UTC), appointment.therapist_id
    with locked_schedules({from_therapist, therapist.pk if therapist else from_therapist}):
        appointment = lock_appointment(appointment)
        if appointment.therapist_id != from_therapist:
            raise BusyTryAgain  # moved a moment ago to a schedule that is not locked
        therapist = therapist or appointment.therapist
        clinic = Clinic.objects.current()
        if not is_changeable(appointment, clinic=clinic, by=by, now=now):
            raise TooLateToChange
        before = current_terms(appointment)
        terms = replace(before, starts_at=starts_at, therapist=therapist, minutes=minutes or before.minutes)
        if terms == before:
            return appointment
        require_version(appointment, version)
        if terms.minutes not in allowed_minutes(appointment):
            raise LengthNotOffered
        overridden = require_free(
            **_moved_to(terms, appointment, knows_patient=is_own or by is not None),
            by_staff=by is not None,
            despite_rules=despite_rules,
            waived=waived,
            clinic=clinic,
            now=now,
        )
        drop_expired_holds(therapist=therapist, now=now)
        _move(appointment, terms, clinic=clinic, is_silent=not notify, is_accepted=bool(overridden), by=by, now=now)
        return appointment


def _moved_to(terms: VisitTerms, appointment: Appointment, *, knows_patient: bool) -> dict[str, Any]:
    """Return what `require_free` has to know of a visit that is moved to `terms`."""
    return {
        "slot": Slot(appointment.service, terms.therapist, terms.starts_at),
        "mode": appointment.mode,
        "in_place_of": appointment,
        "minutes": terms.minutes if terms.minutes != current_terms(appointment).minutes else None,
        "patient": appointment.patient if knows_patient else None,
    }


def undo_move(
    *,
    appointment: Appointment,
    is_own: bool = True,
    version: int | str | None = None,
    by: User | None = None,
    now: datetime,
) -> Appointment:
    """Undo a move within `UNDO_FOR`, before any message about it. Staff (`by`) undo staff's moves, patients their own.

    The visit returns to its earlier time, therapist and length, and is confirmed or arrived again if it was before.

    Booking rules are not checked again. The undo is refused if a visit, hold or closure has taken the time since, or if
    the patient has another visit then (`is_own` as for a move).

    Raises VisitChanged, TooLateToUndo, SlotTaken, SlotNotOffered, TimeClosed or BusyTryAgain, in which case nothing was
    written.
    """
    before = terms_before_move(appointment, by=by, now=now)
    if before is None:
        raise TooLateToUndo
    locked = {appointment.therapist_id, before.therapist.pk}
    with locked_schedules(locked):
        appointment = lock_appointment(appointment)
        require_version(appointment, version)
        move, before = last_move(appointment, by=by), terms_before_move(appointment, by=by, now=now)
        if move is None or before is None:
            raise TooLateToUndo
        if not {appointment.therapist_id, before.therapist.pk} <= locked:
            raise BusyTryAgain  # moved again a moment ago, from or to a schedule that is not locked
        drop_expired_holds(therapist=before.therapist, now=now)
        _require_still_free(appointment, before, since=move.at, now=now)
        withdraw_offers(freed_by=appointment, now=now)
        clinic, earlier_moves = Clinic.objects.current(), unannounced_moves(appointment)[:-1]
        is_silent = bool(earlier_moves) and earlier_moves[-1].is_silent  # as before the move that is undone
        _move(appointment, before, clinic=clinic, is_silent=is_silent, restored=move.cleared, by=by, now=now)
        if is_own:
            require_no_own_visit(appointment)
        return appointment


def terms_before_move(appointment: Appointment, *, by: User | None = None, now: datetime) -> VisitTerms | None:
    """Return the terms that an undo of the last move would restore; None if it cannot be undone.

    The patient (`by` None) can undo their own last move while both times are ahead, staff the last move by staff, but
    not an undo, nor a move after which the patient or staff have marked the visit: the mark is for the new time.
    """
    if appointment.state not in (State.BOOKED, State.ARRIVED):
        return None
    last = last_move(appointment, by=by)
    if last is None or now >= last.at + UNDO_FOR:
        return None
    if by is not None:
        marks = [getattr(appointment, name) for name in MARKS]
        if any(mark is not None and mark > last.at for mark in marks):
            return None
        before = terms_at(appointment, appointment.version - 1)
        return None if is_move_back(appointment, last) or before == current_terms(appointment) else before
    if SlotOffer.objects.filter(entry__appointment=appointment, taken_at=last.at).exists():
        return None  # the move took a slot offer, which ended the wait list entry
    before = terms_at(appointment, appointment.version - 1)
    is_ahead = before is not None and now < before.starts_at and now < appointment.starts_at
    return before if is_ahead and before != current_terms(appointment) else None


def is_move_back(appointment: Appointment, last: AppointmentEvent) -> bool:
    """Whether the `last` move undid the one before it, within `UNDO_FOR`. Both were by the patient, or both by staff."""
    before = appointment.events.filter(version=appointment.version - 1, kind=Kind.MOVED, at__gt=last.at - UNDO_FOR)
    before = before.filter(by__isnull=last.by_id is None)
    return before.exists() and terms_at(appointment, appointment.version - 2) == current_terms(appointment)


def last_move(appointment: Appointment, *, by: User | None) -> AppointmentEvent | None:
    """Return the move that led to the current version; None if another change led to it.

    Also None for a move by staff if `by` is None (the patient asks), and for one by the patient if staff ask.
    """
    moves = appointment.events.filter(kind=Kind.MOVED, version=appointment.version)
    return moves.filter(by__isnull=by is None).last()


def _move(
    appointment: Appointment,
    terms: VisitTerms,
    *,
    clinic: Clinic,
    is_silent: bool = False,
    is_accepted: bool = False,
    restored: Mapping[str, Any] | None = None,
    by: User | None,
    now: datetime,
) -> None:
    """Write an allowed move and its effects. The caller has locked both schedules.

    `restored` are columns that the move sets, of those that a move clears.
    """
    freed = time_of(appointment)
    cleared = _write_move(appointment, terms, restored or {})
    if is_accepted:
        accept_reasons(appointment, now=now)
    revoke_links(subject_id=appointment.pk, purposes=[LinkPurpose.VISIT], now=now)
    record_event(appointment, Kind.MOVED, by=by, now=now, is_silent=is_silent, cleared=cleared)
    if news_of(appointment) is None:
        reopen_links(appointment)
    plan_messages_after_change(appointment, reason="the visit was moved", clinic=clinic, undo_for=UNDO_FOR, now=now)
    offer_freed_time(freed, freed_by=appointment, clinic=clinic, now=now)


def _require_still_free(
    appointment: Appointment, terms: VisitTerms, *, since: datetime, now: datetime, despite_closure: bool = False
) -> None:
    """Check that the time of `terms` is free.

    Raises SlotTaken for another visit or hold. Raises TimeClosed for a closure made after `since`, unless
    `despite_closure`.
    """
    require_time_free(appointment, therapist=terms.therapist, starts_at=terms.starts_at, minutes=terms.minutes, now=now)
    visit = Interval(terms.starts_at, terms.starts_at + timedelta(minutes=terms.minutes))
    closures = HoursOverride.objects.closing(visit, therapist_id=terms.therapist.pk)
    if not despite_closure and closures.filter(created_at__gt=since).exists():
        raise TimeClosed


def _write_move(appointment: Appointment, terms: VisitTerms, restored: Mapping[str, Any]) -> dict[str, Any]:
    """Write the row, and return the columns that were cleared with their values before.

    Confirmation, arrival and "cannot come" were for the former time, unless only the length changes.
    """
    shape = replace(appointment.shape_of(appointment.service), minutes=terms.minutes)
    is_elsewhere = (appointment.therapist, appointment.starts_at) != (terms.therapist, terms.starts_at)
    cleared = {name: getattr(appointment, name) for name in ("off_schedule_accepted", *(MARKS if is_elsewhere else ()))}
    blocked = shape.blocked(terms.starts_at)
    appointment.therapist, appointment.starts_at = terms.therapist, terms.starts_at
    appointment.ends_at = shape.visit(terms.starts_at).end
    appointment.blocked = DateTimeTZRange(blocked.start, blocked.end)
    for name in cleared:
        setattr(appointment, name, None if name in MARKS else [])
    for name, value in restored.items():
        setattr(appointment, name, parse_datetime(value) if name in MARKS and value else value)
    appointment.version += 1
    appointment.sequence += 1
    written = ("therapist", "starts_at", "ends_at", "blocked", *MARKS, "off_schedule_accepted", "version", "sequence")
    appointment.save(update_fields=written)
    return cleared


@row_locks()
def cancel_appointment(
    *,
    appointment: Appointment,
    late_fee: str = "",
    version: int | str | None = None,
    by: User | None = None,
    now: datetime,
) -> Appointment:
    """Cancel a visit, free its time, withdraw its reminders and revoke the links to its questions. Idempotent.

    The patient and the wait list are notified after `UNDO_FOR`, when the cancellation can no longer be undone. The
    patient (`by` None) can cancel until `change_deadline_of`, staff until the visit ends. With `late_fee`, staff record
    what they agreed about the late fee of a cancellation after that. The patient is told nothing of it.

    Raises VisitChanged, TooLateToChange, BusyTryAgain, or NoLateFee if none was agreed or it is not late.
    """
    appointment = lock_appointment(appointment)
    if appointment.status == Status.CANCELLED:
        return appointment
    require_version(appointment, version)
    clinic = Clinic.objects.current()
    if late_fee and not (appointment.late_fee_cents and is_late(appointment, clinic=clinic, now=now)):
        raise NoLateFee
    if not is_changeable(appointment, clinic=clinic, by=by, now=now):
        raise TooLateToChange
    freed_from_asking = {WAS_ASKED: True} if is_asked_to_move(appointment) else None
    appointment.status, appointment.late_fee = Status.CANCELLED, late_fee
    appointment.here_at = appointment.arrived_at = None
    appointment.cancelled_at, appointment.cancelled_by = now, by
    _save_new_state(appointment)
    if appointment.intake_id:
        revoke_links(subject_id=appointment.intake_id, purposes=[LinkPurpose.INTAKE], now=now)
    record_event(appointment, Kind.CANCELLED, by=by, now=now, cleared=freed_from_asking)
    if late_fee:
        record_event(appointment, FEE_EVENTS[late_fee], by=by, now=now)
    plan_cancelled_message(appointment, now=now)
    offer_freed_time(time_of(appointment), freed_by=appointment, clinic=clinic, now=now)
    return appointment


def undo_cancellation(
    *,
    appointment: Appointment,
    is_own: bool = True,
    despite_closure: bool = False,
    version: int | str | None = None,
    by: User | None = None,
    now: datetime,
) -> Appointment:
    """Restore a visit, and the links to its questions, within `UNDO_FOR` of its cancellation. Idempotent.

    No email about the cancellation has been sent by then. Booking rules are not checked again. The undo is refused if a
    visit or hold has taken the time since, or if the time was closed. Staff may override a closure that they were shown
    (`despite_closure`). The patient (`by` None, `is_own` as for a move) is also refused if they have another visit at
    that time.

    Raises VisitChanged, TooLateToUndo, SlotTaken, SlotNotOffered, TimeClosed or BusyTryAgain, in which case nothing was
    written. Raises ValueError for `despite_closure` without `by`.
    """
    if despite_closure and by is None:
        raise ValueError("Only staff may use a closed time.")
    with locked_schedules([from_therapist := appointment.therapist_id]):
        appointment = lock_appointment(appointment)
        if appointment.status == Status.BOOKED:
            return appointment
        require_version(appointment, version)
        if appointment.therapist_id != from_therapist:
            raise BusyTryAgain  # moved a moment ago to a schedule that is not locked
        cancelled_at = appointment.cancelled_at
        if cancelled_at is None or not is_undoable(appointment, now=now):
            raise TooLateToUndo
        drop_expired_holds(therapist=appointment.therapist, now=now)
        terms = current_terms(appointment)
        _require_still_free(appointment, terms, since=cancelled_at, now=now, despite_closure=despite_closure)
        if is_own and by is None:
            require_no_own_visit(appointment)
        _restore(appointment, cancelled_at=cancelled_at, is_accepted=despite_closure, by=by, now=now)
        return appointment


def _restore(
    appointment: Appointment, *, cancelled_at: datetime, is_accepted: bool, by: User | None, now: datetime
) -> None:
    """Write an undone cancellation and its effects. The caller has locked the schedule."""
    withdraw_offers(freed_by=appointment, now=now)
    if appointment.intake_id:
        restore_links(subject_id=appointment.intake_id, purposes=[LinkPurpose.INTAKE], revoked_at=cancelled_at)
    if appointment.late_fee:
        record_event(appointment, Kind.FEE_UNDONE, by=by, now=now)
    appointment.status, appointment.late_fee = Status.BOOKED, ""
    appointment.cancelled_at, appointment.cancelled_by = None, None
    _save_new_state(appointment)
    if is_accepted:
        accept_reasons(appointment, now=now)
    record_event(appointment, Kind.RESTORED, by=by, now=now)
    clinic = Clinic.objects.current()
    plan_messages_after_change(appointment, reason="the cancellation was undone", clinic=clinic, now=now)


def _save_new_state(appointment: Appointment) -> None:
    appointment.version += 1
    appointment.sequence += 1
    changed = ["status", "here_at", "arrived_at", "late_fee", "cancelled_at", "cancelled_by", "version", "sequence"]
    appointment.save(update_fields=changed)


def is_undoable(appointment: Appointment, *, now: datetime) -> bool:
    """Whether the cancellation can be undone: it was made less than `UNDO_FOR` ago, and the visit has not begun.

    Within `UNDO_FOR` the patient has not been notified.
    """
    cancelled_at = appointment.cancelled_at
    if appointment.status != Status.CANCELLED or cancelled_at is None or now >= cancelled_at + UNDO_FOR:
        return False
    return is_allowed(appointment, Act.UNDO_CANCEL, now=now)


def is_changeable(appointment: Appointment, *, clinic: Clinic, by: User | None = None, now: datetime) -> bool:
    """Whether the visit may be moved or canceled by the patient (`by` None) or by staff at `now`."""
    is_in_time = by is not None or now < change_deadline_of(appointment, clinic=clinic)
    return is_in_time and is_allowed(appointment, Act.MOVE, clinic=clinic, now=now)
