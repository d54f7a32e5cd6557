"""The sections of Today about visits and the wait list. They are read in a constant number of queries."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from booking.messages.delivery import visits_to_call
from booking.messages.names import OFFER
from booking.models import Appointment, SlotOffer, WaitListEntry
from booking.models.appointment import AppointmentQuerySet
from booking.models.visit_states import Outcome, State
from booking.schedule.local_time import LocalTime, clinic_time
from booking.schedule.off_schedule import visits_off_schedule
from booking.schedule.schedules import Schedule, read_schedules
from booking.staff.listed_times import booking_address
from booking.staff.rights import BOOKS_VISITS, SEES_SOURCE, SEES_VISITS, SEES_WAIT_LIST
from booking.staff.visit_status import Button, Chip, mark_buttons, status_chips
from booking.time.holidays import holidays_between
from booking.time.intervals import Interval, intersect, subtract
from booking.time.opening_hours import day_interval
from clinic.outbox.models import Message
from clinic.outbox.models import State as MessageState
from clinic.practice.models import Clinic, Patient, Therapist, User
from clinic.practice.registry.rights import may_see
from clinic.practice.registry.today import Place, Section, register_section

SHORTEST_GAP_MINUTES = 30
UNMARKED_FOR = timedelta(days=14)  # how far back unmarked visits are listed
MOST_OFFERS, MOST_VISITS = 100, 10

Status = Appointment.Status
SHOWN = (Status.BOOKED, Status.COMPLETED, Status.NO_SHOW)


@dataclass(frozen=True)
class TodaysVisit:
    """A visit on the page."""

    appointment: Appointment
    time: LocalTime
    is_new: bool  # the patient's first visit here
    intake: str  # progress of the questions: "none", "part" or "done"; empty if there are none
    chips: list[Chip]  # its status
    buttons: list[Button]  # to mark it
    is_past: bool  # done, completed or missed

    @property
    def clock(self) -> str:
        return self.time.clock


@dataclass(frozen=True)
class Gap:
    """Open time of at least SHORTEST_GAP_MINUTES that no visit, hold or buffer blocks."""

    starts: LocalTime
    ends: LocalTime
    therapist: Therapist | None  # None if the clinic has only one
    address: str = ""  # of the form that books a visit in it; empty for a gap that is over

    def __str__(self) -> str:
        text = f"{self.starts.clock} – {self.ends.clock}"
        return f"{text}, {self.therapist.name}" if self.therapist else text


@dataclass(frozen=True)
class OfferedTime:
    """An upcoming freed time that was offered to the wait list, and the patient who took it, if any."""

    time: LocalTime
    asked: int  # number of sent offers
    taken_by: Patient | None


def register_sections() -> None:
    """Register the sections of this room."""
    for section in (WITHOUT_QUESTIONS, VISITS, WAIT_LIST):
        register_section(section)


def read_visits(*, now: datetime, clinic: Clinic, by: User) -> dict[str, Any]:
    """Read the visits of the clinic's day at `now`, its gaps, and the visits of other days that need staff."""
    day = now.astimezone(clinic.zone).date()
    whole_day = day_interval(day, 1, clinic.zone)
    visits = _visits(whole_day, clinic, now, by)
    schedules = read_schedules(first_day=day, days=1, now=now, clinic=clinic)
    return {
        "visits": visits,
        "gaps": _gaps(schedules, whole_day, clinic, now),
        "is_closed": not any(_open_time(schedule, whole_day) for schedule in schedules),
        "holiday": next((holiday.name for holiday in holidays_between(day, day)), ""),
        "next_visits": [] if visits else _next_visits(whole_day, clinic, now, by),
        "unmarked": list(_unmarked(whole_day)),
        "cannot_come": list(_cannot_come(now)),
        "to_call": list(_with_details(visits_to_call(now=now))),
        "off_schedule": visits_off_schedule(now=now, clinic=clinic),
        "may_book": may_see(by, [BOOKS_VISITS]),
        **_rights(by),
    }


def read_visit(pk: UUID, *, now: datetime, clinic: Clinic, by: User) -> dict[str, Any]:
    """Read what the row of one visit shows, for the template of the row. Without "visit" if it has none."""
    found = _rows(Appointment.objects.filter(pk=pk), clinic, now, by)
    return {**({"visit": found[0]} if found else {}), **_rights(by)}


def read_wait_list(*, now: datetime, clinic: Clinic, by: User) -> dict[str, Any]:
    """Read the number of people who wait, the freed times that were offered, and the entries that cannot be served."""
    today = now.astimezone(clinic.zone).date()
    entries = WaitListEntry.objects.unexpired(now=now, today=today)
    return {
        "waiting": entries.count(),
        "offered_times": _offered_times(now, clinic),
        "stuck_waits": entries.stuck().count(),
    }


def read_without_questions(*, now: datetime, clinic: Clinic, by: User) -> dict[str, Any] | None:
    """Read the next MOST_VISITS visits that have no intake although their service has one, soonest first."""
    ahead = Appointment.objects.filter(status=Status.BOOKED, starts_at__gt=now, intake=None)
    visits = ahead.exclude(service__intake_slug="").select_related("patient", "service").order_by("starts_at")
    found = list(visits[:MOST_VISITS])
    return {"visits": found} if found else None


WITHOUT_QUESTIONS = Section(
    permissions=(SEES_VISITS,),
    read=read_without_questions,
    places=(Place("booking/_admin_without_questions.html", 30),),
)
VISITS = Section(
    permissions=(SEES_VISITS,),
    read=read_visits,
    places=(
        Place("admin/_today_cannot_come.html", 50),
        Place("admin/_today_to_call.html", 60),
        Place("admin/_today_off_schedule.html", 70),
        Place("admin/_today_visits.html", 80),
        Place("admin/_today_gaps.html", 110, in_columns=True),
        Place("admin/_today_unmarked.html", 170, in_columns=True),
    ),
)
WAIT_LIST = Section(
    permissions=(SEES_WAIT_LIST,),
    read=read_wait_list,
    places=(
        Place("admin/_today_waiting.html", 140, in_columns=True),
        Place("admin/_today_stuck.html", 150, in_columns=True),
    ),
)


def _with_details(visits: QuerySet[Appointment]) -> QuerySet[Appointment]:
    return visits.select_related("patient", "service", "therapist", "intake", "source_article")


def _rights(by: User) -> dict[str, bool]:
    return {
        "may_read_intakes": may_see(by, ["assessments.view_response"]),
        "may_see_source": may_see(by, [SEES_SOURCE]),
    }


def _visits(whole_day: Interval, clinic: Clinic, now: datetime, by: User) -> list[TodaysVisit]:
    rows = Appointment.objects.filter(starts_at__gte=whole_day.start, starts_at__lt=whole_day.end)
    return _rows(rows, clinic, now, by)


def _rows(visits: AppointmentQuerySet, clinic: Clinic, now: datetime, by: User) -> list[TodaysVisit]:
    rows = visits.filter(status__in=SHOWN).with_has_been_here(now=now).with_was_texted()
    return [
        TodaysVisit(
            appointment=row,
            time=clinic_time(row.starts_at, clinic),
            is_new=not row.has_been_here,
            intake=row.intake.progress if row.intake else "",
            chips=status_chips(row, by=by, zone=clinic.zone, now=now),
            buttons=mark_buttons(row, by=by, clinic=clinic, now=now, is_row=True),
            is_past=row.state in (State.DONE, State.COMPLETED, State.NO_SHOW),
        )
        for row in _with_details(rows.order_by("starts_at", "therapist__position"))
    ]


def _gaps(schedules: list[Schedule], whole_day: Interval, clinic: Clinic, now: datetime) -> list[Gap]:
    is_one = len(schedules) == 1
    gaps = [
        (interval, schedule.therapist)
        for schedule in schedules
        for interval in subtract(_open_time(schedule, whole_day), schedule.blocked)
        if interval.minutes >= SHORTEST_GAP_MINUTES
    ]
    return [
        Gap(
            starts=clinic_time(interval.start, clinic),
            ends=clinic_time(interval.end, clinic),
            therapist=None if is_one else therapist,
            address=_address_of(interval, therapist, now),
        )
        for interval, therapist in sorted(gaps, key=lambda gap: gap[0])
    ]


def _address_of(gap: Interval, therapist: Therapist, now: datetime) -> str:
    """Return the address of the form that books a visit at the start of `gap`, or at the next quarter hour in it."""
    quarter = timedelta(minutes=15)
    left = -((gap.start - now) // quarter) * quarter if gap.start < now else timedelta(0)
    starts_at = gap.start + left
    return booking_address(starts_at=starts_at, therapist=therapist) if starts_at < gap.end else ""


def _open_time(schedule: Schedule, whole_day: Interval) -> list[Interval]:
    return subtract(intersect(schedule.all_openings, [whole_day]), schedule.closed)


def _next_visits(whole_day: Interval, clinic: Clinic, now: datetime, by: User) -> list[TodaysVisit]:
    """Return the visits of the next day that has any."""
    ahead = Appointment.objects.filter(starts_at__gte=whole_day.end, status=Status.BOOKED)
    first = ahead.order_by("starts_at").values_list("starts_at", flat=True).first()
    if first is None:
        return []
    return _visits(day_interval(first.astimezone(clinic.zone).date(), 1, clinic.zone), clinic, now, by)


def _cannot_come(now: datetime) -> QuerySet[Appointment]:
    """Return the unmarked visits, not yet over, whose patients reported that they cannot come. Staff have to call."""
    open_visits = Appointment.objects.with_outcome(Outcome.OPEN, now=now)
    return _with_details(open_visits.filter(not_coming_at__isnull=False).order_by("starts_at"))


def _unmarked(whole_day: Interval) -> QuerySet[Appointment]:
    """Return the unmarked visits that ended before today, at most `UNMARKED_FOR` ago."""
    unmarked = Appointment.objects.with_outcome(Outcome.UNMARKED, now=whole_day.start)
    return _with_details(unmarked.filter(ends_at__gt=whole_day.start - UNMARKED_FOR).order_by("starts_at"))


def _offered_times(now: datetime, clinic: Clinic) -> list[OfferedTime]:
    """Return the upcoming freed times that were offered, soonest first. One query, at most MOST_OFFERS rows."""
    sent = Message.objects.filter(kind=OFFER, subject_id=OuterRef("pk"), state=MessageState.SENT)
    ahead = SlotOffer.objects.filter(starts_at__gt=now).annotate(was_sent=Exists(sent)).select_related("entry__patient")
    freed_time = ("starts_at", "therapist_id", "freed_by_id")
    offered = ahead.order_by(*freed_time)[:MOST_OFFERS]
    return [
        OfferedTime(
            time=clinic_time(offers[0].starts_at, clinic),
            asked=sum(offer.was_sent for offer in offers),
            taken_by=next((offer.entry.patient for offer in offers if offer.taken_at), None),
        )
        for offers in (list(group) for _, group in groupby(offered, attrgetter(*freed_time)))
    ]
