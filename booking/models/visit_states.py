"""The state machine of a visit, as one table: state × act → next state, and the phases that allow the act. Pure.

Domain functions use it under the row's lock. Pages use it too, so that they show no button for an act that would be
refused. An arrived visit becomes completed once it is over; `booking.actions.attend.complete_visits` stores that.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from zoneinfo import ZoneInfo


class State(Enum):
    """The stored status, except that a booked visit whose patient arrived is ARRIVED."""

    HELD = "held"
    BOOKED = "booked"
    ARRIVED = "arrived"
    COMPLETED = "completed"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"


class Outcome(Enum):
    """Whether the patient came, as known at some instant."""

    OPEN = "open"  # a hold, or an unmarked visit that is not over
    CAME = "came"  # marked as arrived, whether the visit is over or not
    UNMARKED = "unmarked"  # over, and it is not known whether the patient came
    MISSED = "missed"
    CANCELLED = "cancelled"


class Act(Enum):
    """An action of patients or staff on a visit."""

    ARRIVE = "arrive"
    UNDO_ARRIVAL = "undo_arrival"
    NO_SHOW = "no_show"
    UNDO_NO_SHOW = "undo_no_show"
    CONFIRM = "confirm"
    CANNOT_COME = "cannot_come"
    MOVE = "move"
    CANCEL = "cancel"
    UNDO_CANCEL = "undo_cancel"


class Phase(Enum):
    """The time of a visit relative to now."""

    DAYS_AHEAD = "days ahead"
    LATER_TODAY = "later today"  # in the clinic's zone
    RUNNING = "running"
    OVER = "over"


AHEAD = frozenset({Phase.DAYS_AHEAD, Phase.LATER_TODAY})
NOT_OVER = AHEAD | {Phase.RUNNING}
BEGUN = frozenset({Phase.RUNNING, Phase.OVER})
ON_ITS_DAY = BEGUN | {Phase.LATER_TODAY}
ALWAYS = frozenset(Phase)


@dataclass(frozen=True)
class Step:
    """The state that an act leads to, and the phases in which the act is allowed.

    An act that keeps the state may still change the visit: MOVE changes its time, and CONFIRM and CANNOT_COME are
    recorded. The others are then no-ops.
    """

    to: State
    phases: frozenset[Phase]


TABLE: dict[tuple[State, Act], Step] = {
    (State.BOOKED, Act.ARRIVE): Step(State.ARRIVED, ON_ITS_DAY),
    (State.ARRIVED, Act.ARRIVE): Step(State.ARRIVED, ALWAYS),
    (State.COMPLETED, Act.ARRIVE): Step(State.COMPLETED, ALWAYS),
    (State.NO_SHOW, Act.ARRIVE): Step(State.ARRIVED, ON_ITS_DAY),
    (State.BOOKED, Act.UNDO_ARRIVAL): Step(State.BOOKED, ALWAYS),
    (State.ARRIVED, Act.UNDO_ARRIVAL): Step(State.BOOKED, ALWAYS),
    (State.COMPLETED, Act.UNDO_ARRIVAL): Step(State.BOOKED, ALWAYS),
    (State.BOOKED, Act.NO_SHOW): Step(State.NO_SHOW, BEGUN),
    (State.ARRIVED, Act.NO_SHOW): Step(State.NO_SHOW, BEGUN),
    (State.COMPLETED, Act.NO_SHOW): Step(State.NO_SHOW, BEGUN),
    (State.NO_SHOW, Act.NO_SHOW): Step(State.NO_SHOW, ALWAYS),
    (State.BOOKED, Act.UNDO_NO_SHOW): Step(State.BOOKED, ALWAYS),
    (State.NO_SHOW, Act.UNDO_NO_SHOW): Step(State.BOOKED, ALWAYS),
    (State.BOOKED, Act.CONFIRM): Step(State.BOOKED, AHEAD),
    (State.ARRIVED, Act.CONFIRM): Step(State.ARRIVED, AHEAD),
    (State.BOOKED, Act.CANNOT_COME): Step(State.BOOKED, AHEAD),
    (State.BOOKED, Act.MOVE): Step(State.BOOKED, NOT_OVER),
    (State.ARRIVED, Act.MOVE): Step(State.BOOKED, NOT_OVER),  # the arrival was for the former time
    (State.BOOKED, Act.CANCEL): Step(State.CANCELLED, NOT_OVER),
    (State.ARRIVED, Act.CANCEL): Step(State.CANCELLED, NOT_OVER),
    (State.CANCELLED, Act.CANCEL): Step(State.CANCELLED, ALWAYS),
    (State.BOOKED, Act.UNDO_CANCEL): Step(State.BOOKED, ALWAYS),
    (State.ARRIVED, Act.UNDO_CANCEL): Step(State.ARRIVED, ALWAYS),
    (State.CANCELLED, Act.UNDO_CANCEL): Step(State.BOOKED, AHEAD),
}


OUTCOMES = {
    State.HELD: Outcome.OPEN,
    State.ARRIVED: Outcome.CAME,
    State.COMPLETED: Outcome.CAME,
    State.NO_SHOW: Outcome.MISSED,
    State.CANCELLED: Outcome.CANCELLED,
}


def state_of(status: str, *, has_arrived: bool) -> State:
    """Return the state for a stored `status` and whether the patient has arrived."""
    return State.ARRIVED if status == State.BOOKED.value and has_arrived else State(status)


def outcome_of(state: State, *, is_over: bool) -> Outcome:
    """Return the outcome of a visit in `state`. `Appointment.objects.with_outcome` finds the rows by the same rule."""
    if state == State.BOOKED:
        return Outcome.UNMARKED if is_over else Outcome.OPEN
    return OUTCOMES[state]


def phase_of(*, starts_at: datetime, ends_at: datetime, now: datetime, zone: ZoneInfo) -> Phase:
    """Return the phase of a visit at `now`. Days are those of `zone`, the clinic's."""
    if ends_at <= now:
        return Phase.OVER
    if starts_at <= now:
        return Phase.RUNNING
    is_today = starts_at.astimezone(zone).date() == now.astimezone(zone).date()
    return Phase.LATER_TODAY if is_today else Phase.DAYS_AHEAD


def next_state(state: State, act: Act, phase: Phase) -> State | None:
    """Return the state after `act`; None if it is refused. Marking an arrival after the end completes the visit."""
    step = TABLE.get((state, act))
    if step is None or phase not in step.phases:
        return None
    return State.COMPLETED if act == Act.ARRIVE and phase == Phase.OVER else step.to


def changes_state(state: State, act: Act, phase: Phase) -> bool:
    """Whether `act` is allowed and leads to another state, so that a button for it makes sense."""
    return next_state(state, act, phase) not in (None, state)
