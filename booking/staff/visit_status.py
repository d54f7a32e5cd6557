"""The status of a visit for staff: its chips, and the buttons of the acts that are possible now.

Today, the card of a visit and its page show the same. The chips and buttons of a row cost no query.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from booking.actions.attend import can_change, is_late, is_late_fee_due, suggest_late_fee
from booking.actions.change import is_changeable
from booking.models import Appointment, LateFee
from booking.models.visit_states import Act, Outcome, State
from booking.schedule.local_time import LocalTime
from clinic.practice.models import Clinic, User
from clinic.practice.people.first_names import first_name
from clinic.practice.values.money import format_money

# Buttons that mark a visit, in the order of a day: the act in `visit_states`, and the label.
MARKS = {
    "arrived": (Act.ARRIVE, "Arrived"),
    "start": (Act.START, "With {therapist}"),
    "finish": (Act.FINISH, "Done"),
    "no-show": (Act.NO_SHOW, "No-show"),
    "undo-arrival": (Act.UNDO_ARRIVAL, "Undo arrival"),
    "undo-start": (Act.UNDO_START, "Undo “with {therapist}”"),
    "undo-finish": (Act.UNDO_FINISH, "Undo “done”"),
    "undo-no-show": (Act.UNDO_NO_SHOW, "Undo no-show"),
}
# A row of Today has no room for acts that skip a step or contradict the last one. The card has all of them.
NOT_IN_A_ROW = {(State.BOOKED, Act.FINISH), (State.ARRIVED, Act.NO_SHOW), (State.COMPLETED, Act.NO_SHOW)}


@dataclass(frozen=True)
class Chip:
    """A short text and the class that colors it."""

    text: str
    look: str = ""


@dataclass(frozen=True)
class Button:
    """A button that does an act: `name` is its name in the URL."""

    name: str
    label: str

    @property
    def look(self) -> str:
        """The class of the button. An undo is quieter than an act."""
        return "is-undo" if "undo" in self.name else ""


@dataclass(frozen=True)
class CancelButtons:
    """The ways to cancel. `with_fee` has the late cancellations, the suggested one first; empty if it is not late."""

    with_fee: list[Button]

    @property
    def is_late(self) -> bool:
        return bool(self.with_fee)


def status_chips(visit: Appointment, *, by: User | None = None, zone: ZoneInfo, now: datetime) -> list[Chip]:
    """Return the status in a few words: one chip, none for a visit of which nothing is known, two with a late fee.

    Times are in `zone`. The therapist is "me" for themselves (`by`).
    """
    return list(_chips(visit, by, zone, now))


def _chips(visit: Appointment, by: User | None, zone: ZoneInfo, now: datetime) -> Iterator[Chip]:
    def since(text: str, instant: datetime | None) -> str:
        return f"{text} {LocalTime(instant, zone).clock}" if instant is not None else text

    state, waiting = visit.state, visit.waiting_since
    if state == State.NO_SHOW:
        yield Chip("no-show", "chip-urgent")
    elif state == State.CANCELLED:
        yield Chip("canceled late" if visit.late_fee else "canceled", "chip-urgent" if visit.late_fee else "chip-quiet")
    elif state == State.DONE:
        yield Chip(since("done", visit.finished_at), "chip-ok")
    elif state == State.IN_PROGRESS:
        yield Chip(since(f"with {_therapist(visit, by)} since", visit.started_at), "chip-now")
    elif waiting is not None and now < visit.ends_at:
        yield Chip(since("waiting since", waiting), "chip-wait")
    elif visit.outcome_at(now) == Outcome.CAME:
        yield Chip("arrived", "chip-ok")
    elif waiting is not None:
        yield Chip(since("said “I’m here” at", waiting), "chip-warn")
    elif visit.confirmed_at and state == State.BOOKED:
        yield Chip("confirmed", "chip-ok")
    if visit.late_fee:
        yield Chip(f"late fee {visit.get_late_fee_display()}", "chip-quiet")


def mark_buttons(visit: Appointment, *, by: User, clinic: Clinic, now: datetime, is_row: bool = False) -> list[Button]:
    """Return the buttons that mark the visit or undo its latest mark. `is_row`: only those that a row has room for."""
    therapist, state = _therapist(visit, by), visit.state
    return [
        Button(name, label.format(therapist=therapist))
        for name, (act, label) in MARKS.items()
        if can_change(visit, act, clinic=clinic, now=now) and not (is_row and (state, act) in NOT_IN_A_ROW)
    ]


def fee_buttons(visit: Appointment, *, clinic: Clinic) -> list[Button]:
    """Return the buttons that decide the late fee of a no-show or a late cancellation, the suggested one first.

    At most two queries.
    """
    if not is_late_fee_due(visit, clinic=clinic):
        return []
    buttons = _fee_buttons(visit, "fee-{}", {LateFee.CHARGED: "Charge {fee}", LateFee.WAIVED: "Waive {fee}"})
    undo = [Button("fee-undo", "Undo: late fee undecided")] if visit.late_fee else []
    return [button for button in buttons if button.name != f"fee-{visit.late_fee}"] + undo


def cancel_buttons(visit: Appointment, *, by: User, clinic: Clinic, now: datetime) -> CancelButtons | None:
    """Return the ways to cancel the visit; None if it cannot be canceled. At most three queries."""
    if not is_changeable(visit, clinic=clinic, by=by, now=now):
        return None
    if not visit.late_fee_cents or not is_late(visit, clinic=clinic, now=now):
        return CancelButtons([])
    labels = {LateFee.CHARGED: "Cancel, and charge {fee}", LateFee.WAIVED: "Cancel, and waive {fee}"}
    return CancelButtons(_fee_buttons(visit, "cancel-{}", labels))


def _fee_buttons(visit: Appointment, name: str, labels: Mapping[LateFee, str]) -> list[Button]:
    """Return a button for each decision on the late fee, the suggested one first."""
    suggested = suggest_late_fee(visit)
    fee = f"the late fee of {format_money(visit.late_fee_cents)}"
    first = " (the first time)" if suggested == LateFee.WAIVED else ""
    return [
        Button(name.format(one.value), labels[one].format(fee=fee) + (first if one == suggested else ""))
        for one in sorted(labels, key=lambda one: one != suggested)
    ]


def _therapist(visit: Appointment, by: User | None) -> str:
    is_own = by is not None and visit.therapist.user_id == by.pk
    return "me" if is_own else first_name(visit.therapist.name) or visit.therapist.name
