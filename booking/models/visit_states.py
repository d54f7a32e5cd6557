"""What can happen to a visit, as one table: state × act → state. Pure.

The domain functions ask this table under the row's lock; buttons ask it too, so that none is shown that would be refused.
Arrived and over is completed: time alone makes that change, and `booking.actions.attend.complete_visits` stores it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from zoneinfo import ZoneInfo


class State(Enum):
    """Where a visit stands: its stored status, and for a booked one whether the patient has arrived."""

    HELD = "held"
    BOOKED = "booked"
    ARRIVED = "arrived"
    COMPLETED = "completed"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"


class Outcome(Enum):
    """Whether the patient came, as far as is known at some instant."""

    OPEN = "open"  # a hold, or a visit that is not over and without a mark
    CAME = "came"  # marked as arrived, whether the visit is over or not
    UNMARKED = "unmarked"  # over, and it is not known whether the patient came
    MISSED = "missed"
    CANCELLED = "cancelled"


class Act(Enum):
    """What patients and staff can do to a visit."""

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
    """How a visit lies to the present."""

    DAYS_AHEAD = "days ahead"
    LATER_TODAY = "later today"  # the clinic's day
    RUNNING = "running"
    OVER = "over"


AHEAD = frozenset({Phase.DAYS_AHEAD, Phase.LATER_TODAY})
NOT_OVER = AHEAD | {Phase.RUNNING}
BEGUN = frozenset({Phase.RUNNING, Phase.OVER})
ON_ITS_DAY = BEGUN | {Phase.LATER_TODAY}
ALWAYS = frozenset(Phase)


@dataclass(frozen=True)
class Step:
    """To which state an act leads, and in which phases it is allowed. Leading to the same state, it is a no-op or a note."""

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
    (State.ARRIVED, Act.MOVE): Step(State.BOOKED, NOT_OVER),  # the arrival was for the time before
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
    """The state behind a visit's stored `status` and whether an arrival is noted."""
    return State.ARRIVED if status == State.BOOKED.value and has_arrived else State(status)


def outcome_of(state: State, *, is_over: bool) -> Outcome:
    """The outcome of a visit in `state`. `Appointment.objects.with_outcome` finds the rows by the same rule."""
    if state == State.BOOKED:
        return Outcome.UNMARKED if is_over else Outcome.OPEN
    return OUTCOMES[state]


def phase_of(*, starts_at: datetime, ends_at: datetime, now: datetime, zone: ZoneInfo) -> Phase:
    """How a visit lies to `now`; days are those of the clinic's `zone`."""
    if ends_at <= now:
        return Phase.OVER
    if starts_at <= now:
        return Phase.RUNNING
    is_today = starts_at.astimezone(zone).date() == now.astimezone(zone).date()
    return Phase.LATER_TODAY if is_today else Phase.DAYS_AHEAD


def next_state(state: State, act: Act, phase: Phase) -> State | None:
    """The state after `act`, None if it is refused. An arrival that is over by then is completed."""
    step = TABLE.get((state, act))
    if step is None or phase not in step.phases:
        return None
    return State.COMPLETED if act == Act.ARRIVE and phase == Phase.OVER else step.to


def changes_state(state: State, act: Act, phase: Phase) -> bool:
    """Whether `act` is allowed and leads to another state: whether a button for it makes sense."""
    return next_state(state, act, phase) not in (None, state)
