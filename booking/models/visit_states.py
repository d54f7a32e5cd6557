"""The state machine of a visit, as one table: state × act → next state, and the phases that allow the act. Pure.

Domain functions use it under the row's lock. Pages use it too, so that they show no button for an act that would be
refused. An arrived visit becomes completed once it is over, and one in progress `OVERRUN` later;
`booking.actions.attend.complete_visits` stores that.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

# Before the start of a visit at the clinic: from then on the patient can say "I'm here".
HERE_FROM = timedelta(minutes=60)
OVERRUN = timedelta(hours=2)  # after its end: a visit still in progress counts as forgotten, and is completed
UNDO_FOR = timedelta(minutes=3)  # a cancellation or move can be undone for this long, and is announced afterwards


class State(Enum):
    """The stored status, refined by the marks (`Marks`) of a booked or completed visit.

    COMPLETED is reached by time alone, DONE by a mark of staff. A visit can be done before its planned end. Its status
    then stays booked until that end, so that its time stays blocked: the therapist uses the rest for notes, and a time
    that has begun cannot be booked.
    """

    HELD = "held"
    BOOKED = "booked"
    ARRIVED = "arrived"
    IN_PROGRESS = "in_progress"  # FHIR's Encounter.status "in-progress": the patient is with the therapist
    DONE = "done"
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

    HERE = "here"  # the patient says "I'm here"
    NOT_HERE = "not_here"
    ARRIVE = "arrive"
    UNDO_ARRIVAL = "undo_arrival"
    START = "start"
    UNDO_START = "undo_start"
    FINISH = "finish"
    UNDO_FINISH = "undo_finish"
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
UNTIL_ITS_END = frozenset({Phase.LATER_TODAY, Phase.RUNNING})
ALWAYS = frozenset(Phase)


@dataclass(frozen=True)
class Step:
    """The state that an act leads to, and the phases in which the act is allowed.

    `to` None is the state before the latest mark (`Marks.before`), so that an undo restores what one press changed.
    An act that keeps the state may still change the visit: MOVE changes its time, and CONFIRM, CANNOT_COME, HERE and
    NOT_HERE are recorded. The others are then no-ops.
    """

    to: State | None
    phases: frozenset[Phase]


@dataclass(frozen=True)
class Marks:
    """The instants at which staff marked a visit: the patient came, the therapist began, the therapist was done.

    A mark implies an arrival, which gets the same instant if it was not marked before.
    """

    arrived_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def before(self) -> State:
        """The state before the latest of the marks."""
        if self.finished_at is not None and self.started_at is not None:
            return State.IN_PROGRESS
        latest = self.finished_at or self.started_at
        return State.BOOKED if latest in (None, self.arrived_at) else State.ARRIVED

    def after(self, state: State, *, now: datetime) -> "Marks":
        """Return the marks of a visit that comes into `state` at `now`. Marks that it has already are kept."""
        arrived_at = self.arrived_at or now
        if state in (State.ARRIVED, State.COMPLETED):
            return Marks(arrived_at)
        if state == State.IN_PROGRESS:
            return Marks(arrived_at, self.started_at or max(arrived_at, now))
        if state == State.DONE:
            latest = self.started_at or arrived_at
            return Marks(arrived_at, self.started_at, self.finished_at or max(latest, now))
        return Marks()


TABLE: dict[tuple[State, Act], Step] = {
    (State.BOOKED, Act.HERE): Step(State.BOOKED, UNTIL_ITS_END),
    (State.ARRIVED, Act.HERE): Step(State.ARRIVED, UNTIL_ITS_END),
    (State.IN_PROGRESS, Act.HERE): Step(State.IN_PROGRESS, UNTIL_ITS_END),
    (State.BOOKED, Act.NOT_HERE): Step(State.BOOKED, UNTIL_ITS_END),
    (State.BOOKED, Act.ARRIVE): Step(State.ARRIVED, ON_ITS_DAY),
    (State.ARRIVED, Act.ARRIVE): Step(State.ARRIVED, ALWAYS),
    (State.IN_PROGRESS, Act.ARRIVE): Step(State.IN_PROGRESS, ALWAYS),
    (State.DONE, Act.ARRIVE): Step(State.DONE, ALWAYS),
    (State.COMPLETED, Act.ARRIVE): Step(State.COMPLETED, ALWAYS),
    (State.NO_SHOW, Act.ARRIVE): Step(State.ARRIVED, ON_ITS_DAY),
    (State.BOOKED, Act.UNDO_ARRIVAL): Step(State.BOOKED, ALWAYS),
    (State.ARRIVED, Act.UNDO_ARRIVAL): Step(State.BOOKED, ALWAYS),
    (State.COMPLETED, Act.UNDO_ARRIVAL): Step(State.BOOKED, ALWAYS),
    (State.BOOKED, Act.START): Step(State.IN_PROGRESS, UNTIL_ITS_END),
    (State.ARRIVED, Act.START): Step(State.IN_PROGRESS, UNTIL_ITS_END),
    (State.IN_PROGRESS, Act.START): Step(State.IN_PROGRESS, ALWAYS),
    (State.BOOKED, Act.UNDO_START): Step(State.BOOKED, ALWAYS),
    (State.ARRIVED, Act.UNDO_START): Step(State.ARRIVED, ALWAYS),
    (State.IN_PROGRESS, Act.UNDO_START): Step(None, ALWAYS),
    (State.COMPLETED, Act.UNDO_START): Step(State.COMPLETED, ALWAYS),
    (State.BOOKED, Act.FINISH): Step(State.DONE, BEGUN),
    (State.ARRIVED, Act.FINISH): Step(State.DONE, BEGUN),
    (State.IN_PROGRESS, Act.FINISH): Step(State.DONE, ON_ITS_DAY),  # it may have begun early
    (State.DONE, Act.FINISH): Step(State.DONE, ALWAYS),
    (State.COMPLETED, Act.FINISH): Step(State.COMPLETED, ALWAYS),
    (State.BOOKED, Act.UNDO_FINISH): Step(State.BOOKED, ALWAYS),
    (State.ARRIVED, Act.UNDO_FINISH): Step(State.ARRIVED, ALWAYS),
    (State.IN_PROGRESS, Act.UNDO_FINISH): Step(State.IN_PROGRESS, ALWAYS),
    (State.DONE, Act.UNDO_FINISH): Step(None, ALWAYS),
    (State.COMPLETED, Act.UNDO_FINISH): Step(State.COMPLETED, ALWAYS),
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
    (State.IN_PROGRESS, Act.UNDO_CANCEL): Step(State.IN_PROGRESS, ALWAYS),
    (State.DONE, Act.UNDO_CANCEL): Step(State.DONE, NOT_OVER),
    (State.CANCELLED, Act.UNDO_CANCEL): Step(State.BOOKED, AHEAD),
}


OUTCOMES = {
    State.HELD: Outcome.OPEN,
    State.ARRIVED: Outcome.CAME,
    State.IN_PROGRESS: Outcome.CAME,
    State.DONE: Outcome.CAME,
    State.COMPLETED: Outcome.CAME,
    State.NO_SHOW: Outcome.MISSED,
    State.CANCELLED: Outcome.CANCELLED,
}


def state_of(status: str, marks: Marks) -> State:
    """Return the state for a stored `status` and the marks."""
    if marks.finished_at is not None:
        return State.DONE
    if status != State.BOOKED.value or marks.arrived_at is None:
        return State(status)
    return State.ARRIVED if marks.started_at is None else State.IN_PROGRESS


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


def next_state(state: State, act: Act, phase: Phase, *, before: State = State.BOOKED) -> State | None:
    """Return the state after `act`; None if it is refused. `before` is `Marks.before`, which an undo restores.

    A visit that would be arrived after its end is completed.
    """
    step = TABLE.get((state, act))
    if step is None or phase not in step.phases:
        return None
    to = step.to or before
    return State.COMPLETED if to == State.ARRIVED != state and phase == Phase.OVER else to


def changes_state(state: State, act: Act, phase: Phase, *, before: State = State.BOOKED) -> bool:
    """Whether `act` is allowed and leads to another state, so that a button for it makes sense."""
    return next_state(state, act, phase, before=before) not in (None, state)


def can_say_here(*, starts_at: datetime, now: datetime) -> bool:
    """Whether it is `HERE_FROM` before the start or later. The table limits "I'm here" to the day and to the end."""
    return now >= starts_at - HERE_FROM
