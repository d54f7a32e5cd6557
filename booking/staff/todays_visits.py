"""The rows of Today: a visit with its time, patient, phone number and status, and the buttons that fit its list."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Subquery

from assessments.models import Flag, Level
from booking.models import Appointment
from booking.models.appointment import AppointmentQuerySet
from booking.models.visit_states import State
from booking.schedule.local_time import LocalTime, clinic_time
from booking.staff.rights import SEES_SOURCE
from booking.staff.visit_status import Button, Chip, mark_buttons, status_chips
from clinic.practice.models import Clinic, User
from clinic.practice.registry.rights import may_see

Status = Appointment.Status
SHOWN = (Status.BOOKED, Status.COMPLETED, Status.NO_SHOW)
DAY, UNMARKED, CALL = "visit", "unmarked", "call"  # the lists with buttons
FLAG_CHIPS = {
    Level.EMERGENCY.value: Chip("emergency flag", "chip-urgent"),
    Level.URGENT.value: Chip("urgent flag", "chip-warn"),
}
TOLD = Button("called", "Told by phone")


@dataclass(frozen=True)
class VisitRow:
    """A visit in one of the lists of the page."""

    appointment: Appointment
    listing: str  # its list, with which the id of the row begins: a visit can be in several
    time: LocalTime
    is_new: bool  # the patient's first visit here
    intake: str  # progress of the questions: "none", "part" or "done"; empty if there are none
    chips: list[Chip]  # its status, and why it is in the list
    buttons: list[Button]
    is_past: bool  # done, completed or missed
    lead: str = ""  # how soon it begins, or that it is now

    @property
    def clock(self) -> str:
        return self.time.clock

    @property
    def is_of_the_day(self) -> bool:
        """Whether the list is one of a single day, so that rows show only the time."""
        return self.listing == DAY

    @property
    def back(self) -> str:
        """Where a button of the row is, for `booking.admin.acts`."""
        return "today" if self.listing == DAY else self.listing

    @property
    def phone(self) -> str:
        """The number given at booking, else the patient's. Empty if neither is known."""
        return self.appointment.other_phone or self.appointment.booked_patient.phone

    @property
    def is_now(self) -> bool:
        """Whether the row is one of those that the day is at."""
        return bool(self.lead)


def visit_rows(
    visits: AppointmentQuerySet, *, listing: str, most: int | None = None, clinic: Clinic, now: datetime, by: User
) -> list[VisitRow]:
    """Return the rows of `visits`, soonest first, at most `most`. One query.

    Those who may see flags see the level of the patient's worst open one.
    """
    found = visits.with_has_been_here(now=now).with_was_texted().order_by("starts_at", "therapist__position")
    if may_see(by, ["assessments.view_flag"]):
        worst = Flag.objects.open().filter(response__patient=OuterRef("patient"))
        found = found.annotate(worst_flag=Subquery(worst.values("level")[:1]))
    return [
        VisitRow(
            appointment=row,
            listing=listing,
            time=clinic_time(row.starts_at, clinic),
            is_new=not row.has_been_here,
            intake=row.intake.progress if row.intake else "",
            chips=_chips(row, listing, by=by, clinic=clinic, now=now),
            buttons=_buttons(row, listing, by=by, clinic=clinic, now=now),
            is_past=row.state in (State.DONE, State.COMPLETED, State.NO_SHOW),
        )
        for row in found.select_related("patient", "service", "therapist", "intake", "source_article")[:most]
    ]


def read_row(pk: Any, *, listing: str, is_done: bool, now: datetime, clinic: Clinic, by: User) -> dict[str, Any]:
    """Read the row of one visit after an act, which was refused unless it `is_done`. Without "visit" if it has none.

    The row stays in its list until the page is loaded again.
    """
    visits = Appointment.objects.filter(pk=pk)
    if listing != CALL:
        visits = visits.filter(status__in=SHOWN)
    found = visit_rows(visits, listing=listing, clinic=clinic, now=now, by=by)
    if found and listing == CALL and is_done:
        found = [replace(found[0], chips=[*found[0].chips, Chip("told by phone", "chip-ok")], buttons=[])]
    return {**({"visit": found[0]} if found else {}), **rights_of(by)}


def rights_of(by: User) -> dict[str, bool]:
    """Return what a row shows to `by`."""
    return {
        "may_see_patients": may_see(by, ["practice.view_patient"]),
        "may_read_intakes": may_see(by, ["assessments.view_response"]),
        "may_see_source": may_see(by, [SEES_SOURCE]),
    }


@dataclass(frozen=True)
class DaysRows:
    """The visits of a day: those that the day is at, those after them, and those before."""

    now: list[VisitRow]
    later: list[VisitRow]
    earlier: list[VisitRow]


def split_day(rows: Iterable[VisitRow], *, now: datetime) -> DaysRows:
    """Split the rows of one day at `now`.

    The day is at the visits that are going on, the patients who wait, and the visits that begin next. A visit whose
    patient cannot come is not next.
    """
    ahead = [row for row in rows if row.appointment.starts_at > now and not _is_going_on(row, now)]
    next_at = min((row.appointment.starts_at for row in ahead if _is_expected(row)), default=None)
    split = DaysRows([], [], [])
    for row in rows:
        if _is_going_on(row, now):
            split.now.append(replace(row, lead="now" if row.appointment.starts_at <= now else _until(row, now)))
        elif row.appointment.starts_at == next_at and _is_expected(row):
            split.now.append(replace(row, lead=_until(row, now)))
        else:
            (split.later if row.appointment.starts_at > now else split.earlier).append(row)
    return split


def _is_expected(row: VisitRow) -> bool:
    return row.appointment.not_coming_at is None


def _is_going_on(row: VisitRow, now: datetime) -> bool:
    visit = row.appointment
    if row.is_past:
        return False
    is_waiting = visit.waiting_since is not None and now < visit.ends_at
    return visit.state == State.IN_PROGRESS or is_waiting or visit.starts_at <= now < visit.ends_at


def _until(row: VisitRow, now: datetime) -> str:
    """Return "in 25 min" or "in 2 h 5 min", rounded up to whole minutes."""
    hours, minutes = divmod(-((now - row.appointment.starts_at) // timedelta(minutes=1)), 60)
    return " ".join(["in", *([f"{hours} h"] if hours else []), *([f"{minutes} min"] if minutes or not hours else [])])


def _chips(visit: Appointment, listing: str, *, by: User, clinic: Clinic, now: datetime) -> list[Chip]:
    chips = status_chips(visit, by=by, zone=clinic.zone, now=now)
    if (flag := FLAG_CHIPS.get(getattr(visit, "worst_flag", None) or "")) is not None:
        chips.insert(0, flag)
    if listing == CALL and visit.status == Status.BOOKED:
        chips.append(Chip("changed", "chip-warn"))
    return chips


def _buttons(visit: Appointment, listing: str, *, by: User, clinic: Clinic, now: datetime) -> list[Button]:
    if listing == CALL:
        return [TOLD]
    return mark_buttons(visit, by=by, clinic=clinic, now=now, is_row=True) if listing in (DAY, UNMARKED) else []
