"""Confirm visits, and mark who is here, who is with the therapist, what is done, and no-shows with their late fee.

All are idempotent, and all but a confirmation can be undone.

`booking.models.visit_states.TABLE` has the rules. `version` is the visit's version on the page that sent the request
(`history.require_version`).
"""

from collections.abc import Mapping
from datetime import datetime

from django.db.models import Q

from booking.actions.hold import drop_expired_holds
from booking.models import Appointment, AppointmentEvent, LateFee
from booking.models.visit_states import (
    AHEAD,
    OVERRUN,
    Act,
    Outcome,
    Phase,
    State,
    can_say_here,
    changes_state,
    next_state,
    phase_of,
)
from booking.schedule.errors import (
    ArrivalTooEarly,
    BookingRefused,
    BusyTryAgain,
    NoLateFee,
    TooLateToChange,
    VisitCancelled,
    VisitNotStarted,
)
from booking.schedule.history import lock_appointment, record_event, require_version
from booking.schedule.locking import locked_schedules, row_locks
from booking.schedule.rules import change_deadline_of, require_no_own_visit, require_time_free
from clinic.practice.models import Clinic, User
from clinic.practice.people.patients import accept_patient

Status, Kind = Appointment.Status, AppointmentEvent.Kind

MEETS = (Act.ARRIVE, Act.START, Act.FINISH)  # staff have met the patient
FEE_EVENTS: Mapping[str, AppointmentEvent.Kind] = {
    LateFee.CHARGED: Kind.FEE_CHARGED,
    LateFee.WAIVED: Kind.FEE_WAIVED,
    "": Kind.FEE_UNDONE,
}
ON_THE_DAY = (Act.ARRIVE, Act.START, Act.FINISH, Act.HERE)


@row_locks()
def confirm_appointment(
    *, appointment: Appointment, version: int | str | None = None, by: User | None = None, now: datetime
) -> Appointment:
    """Record that the patient intends to come. Withdraws an earlier report that they cannot.

    Raises VisitCancelled, VisitChanged, BusyTryAgain, or TooLateToChange once the visit has begun.
    """
    appointment = _lock(appointment, version)
    state_after(appointment, Act.CONFIRM, now=now)
    if appointment.confirmed_at is None:
        appointment.confirmed_at, appointment.not_coming_at = now, None
        appointment.save(update_fields=["confirmed_at", "not_coming_at"])
        record_event(appointment, Kind.CONFIRMED, by=by, now=now)
    return appointment


@row_locks()
def say_here(*, appointment: Appointment, now: datetime) -> Appointment:
    """Record that the patient says "I'm here". Idempotent; a no-op once staff have marked the arrival.

    Takes no version: a visit that was moved is refused by its time, and other changes do not matter to a patient who
    is here.

    Raises VisitCancelled, BusyTryAgain, ArrivalTooEarly, or TooLateToChange if the visit is over, is not at the clinic
    or is a no-show.
    """
    appointment = lock_appointment(appointment)
    state = state_after(appointment, Act.HERE, now=now)
    if not appointment.visit_mode.is_at_clinic:
        raise TooLateToChange
    if not can_say_here(starts_at=appointment.starts_at, now=now):
        raise ArrivalTooEarly
    if state == State.BOOKED and appointment.here_at is None:
        _save_here(appointment, now, Kind.HERE, now=now)
    return appointment


@row_locks()
def say_not_here(*, appointment: Appointment, now: datetime) -> Appointment:
    """Undo `say_here`. Idempotent.

    Raises VisitCancelled, BusyTryAgain, or TooLateToChange once the visit is over or staff have marked it.
    """
    appointment = lock_appointment(appointment)
    state_after(appointment, Act.NOT_HERE, now=now)
    if appointment.here_at is not None:
        _save_here(appointment, None, Kind.HERE_UNDONE, now=now)
    return appointment


def mark_arrived(*, appointment: Appointment, version: int | str | None = None, by: User, now: datetime) -> Appointment:
    """Record that the patient came, on the day of the visit or later. Undoes a no-show.

    The visit remains booked until it ends, so that its time remains blocked. A provisional patient becomes known, since
    staff have met them.

    Raises VisitCancelled, VisitChanged for an older `version`, ArrivalTooEarly before the day, SlotTaken if another
    visit or hold now blocks the time of a no-show, SlotNotOffered if the patient has another visit then, or
    BusyTryAgain.
    """
    return _mark(appointment, Act.ARRIVE, Kind.ARRIVED, version=version, by=by, now=now)


def undo_arrival(*, appointment: Appointment, version: int | str | None = None, by: User, now: datetime) -> Appointment:
    """Undo an arrival. A patient who became known by it remains known, because merged records are never split.

    Raises VisitChanged for an older `version`, VisitCancelled, TooLateToChange for a no-show or after a later mark,
    SlotTaken if another visit or hold now blocks the time, SlotNotOffered if the patient has another visit then, or
    BusyTryAgain.
    """
    return _mark(appointment, Act.UNDO_ARRIVAL, Kind.ARRIVAL_UNDONE, version=version, by=by, now=now)


def mark_started(*, appointment: Appointment, version: int | str | None = None, by: User, now: datetime) -> Appointment:
    """Record that the patient is with the therapist. Implies an arrival.

    Raises as `mark_arrived`, and TooLateToChange once the visit is over or marked as done.
    """
    return _mark(appointment, Act.START, Kind.STARTED, version=version, by=by, now=now)


def undo_start(*, appointment: Appointment, version: int | str | None = None, by: User, now: datetime) -> Appointment:
    """Undo `mark_started`, with the arrival if the same act recorded it. Raises as `undo_arrival`."""
    return _mark(appointment, Act.UNDO_START, Kind.START_UNDONE, version=version, by=by, now=now)


def mark_finished(
    *, appointment: Appointment, version: int | str | None = None, by: User, now: datetime
) -> Appointment:
    """Record that the visit is done, also before its planned end. Implies an arrival.

    Its time stays blocked until that end. Raises as `mark_arrived`, and VisitNotStarted before the visit's time unless
    the patient is with the therapist already.
    """
    return _mark(appointment, Act.FINISH, Kind.FINISHED, version=version, by=by, now=now)


def undo_finish(*, appointment: Appointment, version: int | str | None = None, by: User, now: datetime) -> Appointment:
    """Undo `mark_finished`, with the arrival if the same act recorded it. Raises as `undo_arrival`."""
    return _mark(appointment, Act.UNDO_FINISH, Kind.FINISH_UNDONE, version=version, by=by, now=now)


@row_locks()
def mark_no_show(*, appointment: Appointment, version: int | str | None = None, by: User, now: datetime) -> Appointment:
    """Record a no-show. Undoes an arrival. What the patient said ("I'm here") is kept.

    Raises VisitChanged for an older `version`, VisitCancelled, BusyTryAgain, VisitNotStarted before the visit begins,
    or TooLateToChange once the patient is with the therapist.
    """
    appointment = _lock(appointment, version)
    state = state_after(appointment, Act.NO_SHOW, now=now)
    if appointment.status == Status.NO_SHOW:
        return appointment
    record_event(appointment, Kind.NO_SHOW, by=by, now=now)
    return _store(appointment, state, now=now)


def undo_no_show(*, appointment: Appointment, version: int | str | None = None, by: User, now: datetime) -> Appointment:
    """Undo a no-show, with the decision on its late fee. The visit is then booked and unmarked again.

    Raises VisitChanged for an older `version`, VisitCancelled, TooLateToChange for an arrival, SlotTaken if another
    visit or hold now blocks the time, SlotNotOffered if the patient has another visit then, or BusyTryAgain.
    """
    return _mark(appointment, Act.UNDO_NO_SHOW, Kind.NO_SHOW_UNDONE, version=version, by=by, now=now)


def complete_visits(*, now: datetime) -> int:
    """Complete the visits that are over and whose patients arrived. Return their number. Idempotent.

    A visit in progress is given `OVERRUN` to be marked as done.
    """
    arrived = Appointment.objects.with_outcome(Outcome.CAME, now=now).filter(status=Status.BOOKED, ends_at__lte=now)
    is_running_late = Q(started_at__isnull=False, finished_at__isnull=True, ends_at__gt=now - OVERRUN)
    return arrived.exclude(is_running_late).update(status=Status.COMPLETED)


@row_locks()
def decide_late_fee(
    *, appointment: Appointment, late_fee: str, version: int | str | None = None, by: User, now: datetime
) -> Appointment:
    """Record that the late fee of a no-show or a late cancellation is charged or waived; "" undoes that. Idempotent.

    No bill is sent, and the patient is not told.

    Raises VisitChanged for an older `version`, BusyTryAgain, or NoLateFee if none is due.
    """
    appointment = lock_appointment(appointment)
    require_version(appointment, version)
    if not is_late_fee_due(appointment, clinic=Clinic.objects.current()):
        raise NoLateFee
    if appointment.late_fee != late_fee:
        appointment.late_fee = late_fee
        appointment.save(update_fields=["late_fee"])
        record_event(appointment, FEE_EVENTS[late_fee], by=by, now=now)
    return appointment


def is_late_fee_due(appointment: Appointment, *, clinic: Clinic) -> bool:
    """Whether a late fee was agreed, and the visit is a no-show or was canceled after `change_deadline_of`."""
    if not appointment.late_fee_cents or appointment.status == Status.NO_SHOW:
        return bool(appointment.late_fee_cents)
    return appointment.cancelled_at is not None and is_late(appointment, clinic=clinic, now=appointment.cancelled_at)


def is_late(appointment: Appointment, *, clinic: Clinic, now: datetime) -> bool:
    """Whether the patient can no longer cancel online at `now`. At most two queries."""
    return now >= change_deadline_of(appointment, clinic=clinic)


def suggest_late_fee(appointment: Appointment) -> LateFee:
    """Suggest to waive the fee of the patient's first no-show or late cancellation if that was agreed. One query."""
    missed = Q(status=Status.NO_SHOW, late_fee_cents__gt=0) | ~Q(late_fee="")
    others = Appointment.objects.filter(missed, patient=appointment.patient_id).exclude(pk=appointment.pk)
    is_free = appointment.is_first_late_free and not others.exists()
    return LateFee.WAIVED if is_free else LateFee.CHARGED


def can_change(appointment: Appointment, act: Act, *, clinic: Clinic | None = None, now: datetime) -> bool:
    """Whether `act` is allowed now and would change the state, so that a page can offer it."""
    phase, before = _phase(appointment, clinic, now), appointment.marks.before
    return changes_state(appointment.state, act, phase, before=before)


def is_allowed(appointment: Appointment, act: Act, *, clinic: Clinic | None = None, now: datetime) -> bool:
    """Whether `visit_states.TABLE` allows `act` now. Reliable only while the row is locked."""
    phase, before = _phase(appointment, clinic, now), appointment.marks.before
    return next_state(appointment.state, act, phase, before=before) is not None


def state_after(appointment: Appointment, act: Act, *, clinic: Clinic | None = None, now: datetime) -> State:
    """Return the state that `act` leads to. Reliable only while the row is locked.

    Raises VisitCancelled, VisitNotStarted, ArrivalTooEarly or TooLateToChange.
    """
    phase = _phase(appointment, clinic, now)
    state = next_state(appointment.state, act, phase, before=appointment.marks.before)
    if state is None:
        raise _refusal(appointment.state, act, phase)
    return state


def _mark(
    appointment: Appointment,
    act: Act,
    kind: AppointmentEvent.Kind,
    *,
    version: int | str | None,
    by: User,
    now: datetime,
) -> Appointment:
    """Do `act` under the locks, and record it as `kind`. A no-op if the visit is in the state already."""
    with locked_schedules([appointment.therapist_id]):
        appointment = _lock(appointment, version, has_schedule=True)
        state = state_after(appointment, act, now=now)
        if act in MEETS and appointment.booked_patient.is_provisional:
            appointment.patient = accept_patient(appointment.booked_patient, by=by, now=now)
            appointment.refresh_from_db(fields=["other_phone"])
        if state == appointment.state:
            return appointment
        record_event(appointment, kind, by=by, now=now)
        if appointment.late_fee:  # of a no-show, which this undoes
            record_event(appointment, Kind.FEE_UNDONE, by=by, now=now)
        return _store(appointment, state, now=now)


def _save_here(
    appointment: Appointment, here_at: datetime | None, kind: AppointmentEvent.Kind, *, now: datetime
) -> None:
    appointment.here_at = here_at
    appointment.save(update_fields=["here_at"])
    record_event(appointment, kind, by=None, now=now)


def _lock(appointment: Appointment, version: int | str | None, *, has_schedule: bool = False) -> Appointment:
    """Lock and return the row. For a canceled visit, VisitCancelled takes precedence over VisitChanged.

    Pass `has_schedule` if the schedule of `appointment.therapist` is locked. Then BusyTryAgain is raised if the visit
    has moved to another therapist since.
    """
    locked = lock_appointment(appointment)
    if locked.status == Status.CANCELLED:
        raise VisitCancelled
    require_version(locked, version)
    if has_schedule and locked.therapist_id != appointment.therapist_id:
        raise BusyTryAgain
    return locked


def _phase(appointment: Appointment, clinic: Clinic | None, now: datetime) -> Phase:
    zone = (clinic or Clinic.objects.current()).zone
    return phase_of(starts_at=appointment.starts_at, ends_at=appointment.ends_at, now=now, zone=zone)


def _refusal(state: State, act: Act, phase: Phase) -> BookingRefused:
    if state == State.CANCELLED:
        return VisitCancelled()
    is_markable = state in (State.BOOKED, State.ARRIVED, State.IN_PROGRESS, State.NO_SHOW)
    if act in ON_THE_DAY and phase == Phase.DAYS_AHEAD and is_markable:
        return ArrivalTooEarly()
    if act in (Act.NO_SHOW, Act.FINISH) and phase in AHEAD and is_markable:
        return VisitNotStarted()
    return TooLateToChange()


def _store(appointment: Appointment, state: State, *, now: datetime) -> Appointment:
    """Write the state and its marks. If the visit becomes booked again, check first that its time is free.

    Raises SlotTaken, or SlotNotOffered if the patient has another visit then.
    """
    status = _status_of(state, is_over=appointment.ends_at <= now)
    if status == Status.BOOKED and appointment.status != Status.BOOKED:
        drop_expired_holds(therapist=appointment.therapist, now=now)
        require_time_free(appointment, therapist=appointment.therapist, starts_at=appointment.starts_at, now=now)
        require_no_own_visit(appointment)
    if status != Status.NO_SHOW:
        appointment.late_fee = ""
    appointment.status, marks = status, appointment.marks.after(state, now=now)
    appointment.arrived_at, appointment.started_at = marks.arrived_at, marks.started_at
    appointment.finished_at = marks.finished_at
    appointment.save(update_fields=["status", "arrived_at", "started_at", "finished_at", "late_fee"])
    return appointment


def _status_of(state: State, *, is_over: bool) -> str:
    """Return the stored status. A marked visit stays booked until its end, so that its time stays blocked."""
    if state in (State.ARRIVED, State.IN_PROGRESS):
        return Status.BOOKED
    if state == State.DONE:
        return Status.COMPLETED if is_over else Status.BOOKED
    return Status(state.value)
