"""Confirm visits, and mark arrivals and no-shows. All are idempotent; an arrival or a no-show can be undone.

`booking.models.visit_states.TABLE` has the rules. `version` is the visit's version on the page that sent the request
(`history.require_version`).
"""

from datetime import datetime

from booking.actions.hold import drop_expired_holds
from booking.models import Appointment, AppointmentEvent
from booking.models.visit_states import Act, Outcome, Phase, State, changes_state, next_state, phase_of
from booking.schedule.errors import (
    ArrivalTooEarly,
    BookingRefused,
    BusyTryAgain,
    TooLateToChange,
    VisitCancelled,
    VisitNotStarted,
)
from booking.schedule.history import lock_appointment, record_event, require_version
from booking.schedule.locking import locked_schedules, row_locks
from booking.schedule.rules import require_no_own_visit, require_time_free
from clinic.practice.models import Clinic, User
from clinic.practice.people.patients import accept_patient

Status, Kind = Appointment.Status, AppointmentEvent.Kind

STORED_AS = {State.ARRIVED: Status.BOOKED}  # plus `arrived_at`; every other state has the value of a status


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


def mark_arrived(*, appointment: Appointment, version: int | str | None = None, by: User, now: datetime) -> Appointment:
    """Record that the patient came, on the day of the visit or later. Undoes a no-show.

    The visit remains booked until it ends, so that its time remains blocked. A provisional patient becomes known, since
    staff have met them.

    Raises VisitCancelled, VisitChanged for an older `version`, ArrivalTooEarly before the day, SlotTaken if another
    visit or hold now blocks the time of a no-show, SlotNotOffered if the patient has another visit then, or
    BusyTryAgain.
    """
    with locked_schedules([appointment.therapist_id]):
        appointment = _lock(appointment, version, has_schedule=True)
        state = state_after(appointment, Act.ARRIVE, now=now)
        patient = appointment.booked_patient
        if patient.is_provisional:
            appointment.patient = accept_patient(patient, by=by, now=now)
            appointment.refresh_from_db(fields=["other_phone"])
        if appointment.arrived_at is None:
            record_event(appointment, Kind.ARRIVED, by=by, now=now)
        return _store(appointment, state, arrived_at=appointment.arrived_at or now, now=now)


def undo_arrival(*, appointment: Appointment, version: int | str | None = None, by: User, now: datetime) -> Appointment:
    """Undo an arrival. A patient who became known by it remains known, because merged records are never split.

    Raises VisitChanged for an older `version`, VisitCancelled, TooLateToChange for a no-show, SlotTaken if another
    visit or hold now blocks the time, SlotNotOffered if the patient has another visit then, or BusyTryAgain.
    """
    with locked_schedules([appointment.therapist_id]):
        appointment = _lock(appointment, version, has_schedule=True)
        state = state_after(appointment, Act.UNDO_ARRIVAL, now=now)
        if appointment.arrived_at is None:
            return appointment
        record_event(appointment, Kind.ARRIVAL_UNDONE, by=by, now=now)
        return _store(appointment, state, arrived_at=None, now=now)


@row_locks()
def mark_no_show(*, appointment: Appointment, version: int | str | None = None, by: User, now: datetime) -> Appointment:
    """Record a no-show. Undoes an arrival.

    Raises VisitChanged for an older `version`, VisitCancelled, BusyTryAgain, or VisitNotStarted before the visit
    begins.
    """
    appointment = _lock(appointment, version)
    state = state_after(appointment, Act.NO_SHOW, now=now)
    if appointment.status == Status.NO_SHOW:
        return appointment
    record_event(appointment, Kind.NO_SHOW, by=by, now=now)
    return _store(appointment, state, arrived_at=None, now=now)


def undo_no_show(*, appointment: Appointment, version: int | str | None = None, by: User, now: datetime) -> Appointment:
    """Undo a no-show. The visit is then booked and unmarked again.

    Raises VisitChanged for an older `version`, VisitCancelled, TooLateToChange for an arrival, SlotTaken if another
    visit or hold now blocks the time, SlotNotOffered if the patient has another visit then, or BusyTryAgain.
    """
    with locked_schedules([appointment.therapist_id]):
        appointment = _lock(appointment, version, has_schedule=True)
        state = state_after(appointment, Act.UNDO_NO_SHOW, now=now)
        if appointment.status != Status.NO_SHOW:
            return appointment
        record_event(appointment, Kind.NO_SHOW_UNDONE, by=by, now=now)
        return _store(appointment, state, arrived_at=None, now=now)


def complete_visits(*, now: datetime) -> int:
    """Complete the visits that are over and whose patients arrived. Return their number. Idempotent."""
    arrived = Appointment.objects.with_outcome(Outcome.CAME, now=now)
    return arrived.filter(status=Status.BOOKED, ends_at__lte=now).update(status=Status.COMPLETED)


def can_change(appointment: Appointment, act: Act, *, clinic: Clinic | None = None, now: datetime) -> bool:
    """Whether `act` is allowed now and would change the state, so that a page can offer it."""
    return changes_state(appointment.state, act, _phase(appointment, clinic, now))


def is_allowed(appointment: Appointment, act: Act, *, clinic: Clinic | None = None, now: datetime) -> bool:
    """Whether `visit_states.TABLE` allows `act` now. Reliable only while the row is locked."""
    return next_state(appointment.state, act, _phase(appointment, clinic, now)) is not None


def state_after(appointment: Appointment, act: Act, *, clinic: Clinic | None = None, now: datetime) -> State:
    """Return the state that `act` leads to. Reliable only while the row is locked.

    Raises VisitCancelled, VisitNotStarted, ArrivalTooEarly or TooLateToChange.
    """
    phase = _phase(appointment, clinic, now)
    state = next_state(appointment.state, act, phase)
    if state is None:
        raise _refusal(appointment.state, act, phase)
    return state


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
    if act == Act.ARRIVE and phase == Phase.DAYS_AHEAD:
        return ArrivalTooEarly()
    is_ahead = phase in (Phase.DAYS_AHEAD, Phase.LATER_TODAY)
    return VisitNotStarted() if act == Act.NO_SHOW and is_ahead else TooLateToChange()


def _store(appointment: Appointment, state: State, *, arrived_at: datetime | None, now: datetime) -> Appointment:
    """Write the state. If the visit becomes booked again, check first that its time is free.

    Raises SlotTaken, or SlotNotOffered if the patient has another visit then.
    """
    status = STORED_AS.get(state) or Status(state.value)
    if status == Status.BOOKED and appointment.status != Status.BOOKED:
        drop_expired_holds(therapist=appointment.therapist, now=now)
        require_time_free(appointment, therapist=appointment.therapist, starts_at=appointment.starts_at, now=now)
        require_no_own_visit(appointment)
    appointment.status, appointment.arrived_at = status, arrived_at
    appointment.save(update_fields=["status", "arrived_at"])
    return appointment
