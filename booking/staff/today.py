"""The data of Today, the front page of the admin. It is read in a constant number of queries."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from assessments.models import Flag
from booking.messages.delivery import visits_to_call
from booking.messages.names import OFFER
from booking.models import Appointment, SlotOffer, WaitListEntry
from booking.models.visit_states import Outcome
from booking.schedule.local_time import LocalTime, clinic_time
from booking.schedule.off_schedule import OffSchedule, visits_off_schedule
from booking.schedule.schedules import Schedule, read_schedules
from booking.time.holidays import holidays_between
from booking.time.intervals import Interval, intersect, subtract
from booking.time.opening_hours import day_interval
from clinic.outbox.models import Message, State
from clinic.outbox.sending.heartbeat import silent_since
from clinic.practice.models import Clinic, Patient, Therapist

SHORTEST_GAP_MINUTES = 30
UNMARKED_FOR = timedelta(days=14)  # how far back unmarked visits are listed
MOST_MESSAGES, MOST_OFFERS = 20, 100

Status = Appointment.Status


class Section(Enum):
    """A section of the page that needs its own permission. The value is its name for staff."""

    FLAGS = "warning signs"
    VISITS = "visits"
    MESSAGES = "messages"
    WAIT_LIST = "the wait list"


@dataclass(frozen=True)
class TodaysVisit:
    """A visit on the page."""

    appointment: Appointment
    time: LocalTime
    is_new: bool  # the patient's first visit here
    intake: str  # progress of the questions: "none", "part" or "done"; empty if there are none
    has_begun: bool  # a visit that has begun can be marked as a no-show
    outcome: Outcome

    @property
    def clock(self) -> str:
        return self.time.clock

    @property
    def has_arrived(self) -> bool:
        return self.outcome == Outcome.CAME

    @property
    def is_missed(self) -> bool:
        return self.outcome == Outcome.MISSED


@dataclass(frozen=True)
class FlaggedIntake:
    """The open flags of one intake, worst first. `is_late`: at least one is overdue for review."""

    flags: list[Flag]
    is_late: bool

    @property
    def worst(self) -> Flag:
        return self.flags[0]

    @property
    def counts(self) -> list[tuple[Flag, int]]:
        """For each level of the current flags, worst first: its first flag, and the number of its flags."""
        levels = groupby(self.current, attrgetter("level"))
        return [(group[0], len(group)) for _, rows in levels if (group := list(rows))]

    @property
    def current(self) -> list[Flag]:
        """The flags that the answers still raise."""
        return [flag for flag in self.flags if flag.current_level]

    @property
    def withdrawn(self) -> int:
        """The number of flags that a changed answer no longer raises."""
        return len(self.flags) - len(self.current)

    @property
    def first_raised_at(self) -> datetime:
        return min(flag.raised_at for flag in self.flags)

    @property
    def wants_call(self) -> bool:
        return any(flag.callback_requested_at for flag in self.flags)

    @property
    def is_unread(self) -> bool:
        """Whether the patient has yet to acknowledge the advice of some current flag."""
        return not all(flag.patient_acknowledged_at for flag in self.current)


@dataclass(frozen=True)
class Gap:
    """Open time of at least SHORTEST_GAP_MINUTES that no visit, hold or buffer blocks."""

    starts: LocalTime
    ends: LocalTime
    therapist: Therapist | None  # None if the clinic has only one

    def __str__(self) -> str:
        text = f"{self.starts.clock} – {self.ends.clock}"
        return f"{text}, {self.therapist.name}" if self.therapist else text


@dataclass(frozen=True)
class OfferedTime:
    """An upcoming freed time that was offered to the wait list, and the patient who took it, if any."""

    time: LocalTime
    asked: int  # number of sent offers
    taken_by: Patient | None


@dataclass(frozen=True)
class Today:
    """The data of the page. Sections that were not read are empty."""

    clinic: Clinic
    day: date
    flagged: Sequence[FlaggedIntake] = ()
    visits: Sequence[TodaysVisit] = ()
    gaps: Sequence[Gap] = ()
    is_closed: bool = False  # there is no open time on the day
    holiday: str = ""  # the federal holiday that is observed on the day
    next_visits: Sequence[TodaysVisit] = ()  # of the next day that has any; empty if today has visits
    failed_messages: Sequence[Message] = ()
    overdue_messages: Sequence[Message] = ()
    nothing_sent_since: datetime | None = None  # time of the last sweep, if the heartbeat has stopped
    unmarked: Sequence[Appointment] = ()
    cannot_come: Sequence[Appointment] = ()  # reported when it was too late to cancel online
    to_call: Sequence[Appointment] = ()  # of patients who were told of a change neither by a message nor by a call
    off_schedule: Sequence[OffSchedule] = ()  # upcoming visits that the current schedule would not offer
    offered_times: Sequence[OfferedTime] = ()
    waiting: int = 0  # unexpired entries on the wait list


def read_today(
    *, now: datetime, sections: Collection[Section] = tuple(Section), hidden_kinds: Collection[str] = ()
) -> Today:
    """Read the data of the clinic's day at `now`. Only `sections` are read; the rest is empty.

    Omits messages of `hidden_kinds`.
    """
    clinic = Clinic.objects.current()
    day = now.astimezone(clinic.zone).date()
    whole_day = day_interval(day, 1, clinic.zone)
    parts: dict[str, Any] = {}
    if Section.FLAGS in sections:
        parts |= {"flagged": _flagged(now)}
    if Section.VISITS in sections:
        parts |= _read_visits(whole_day, now, clinic)
    if Section.MESSAGES in sections:
        parts |= _read_messages(now, hidden_kinds)
    if Section.WAIT_LIST in sections:
        waiting = WaitListEntry.objects.unexpired(now=now, today=day).count()
        parts |= {"offered_times": _offered_times(now, clinic), "waiting": waiting}
    holiday = next((holiday.name for holiday in holidays_between(day, day)), "")
    return Today(clinic=clinic, day=day, holiday=holiday, **parts)


def _read_visits(whole_day: Interval, now: datetime, clinic: Clinic) -> dict:
    visits = _visits(whole_day, clinic, now)
    schedules = read_schedules(first_day=now.astimezone(clinic.zone).date(), days=1, now=now, clinic=clinic)
    return {
        "visits": visits,
        "gaps": _gaps(schedules, whole_day, clinic),
        "is_closed": not any(_open_time(schedule, whole_day) for schedule in schedules),
        "next_visits": [] if visits else _next_visits(whole_day, clinic, now),
        "unmarked": list(_unmarked(whole_day)),
        "cannot_come": list(_cannot_come(now)),
        "to_call": list(_with_details(visits_to_call(now=now))),
        "off_schedule": visits_off_schedule(now=now, clinic=clinic),
    }


def _read_messages(now: datetime, hidden_kinds: Collection[str]) -> dict:
    shown = Message.objects.exclude(kind__in=hidden_kinds).select_related("patient")
    return {
        "failed_messages": list(shown.failed_recently(now)[:MOST_MESSAGES]),
        "overdue_messages": list(shown.overdue(now)[:MOST_MESSAGES]),
        "nothing_sent_since": silent_since(now=now),
    }


def _flagged(now: datetime) -> list[FlaggedIntake]:
    """Return the intakes with open flags, sorted by their worst flag: level, deadline, longest open."""
    intakes: dict = {}
    for flag in Flag.objects.open().select_related("response__patient"):
        intakes.setdefault(flag.response_id, []).append(flag)
    return [FlaggedIntake(flags, any(flag.is_overdue(now) for flag in flags)) for flags in intakes.values()]


def _with_details(visits: QuerySet[Appointment]) -> QuerySet[Appointment]:
    return visits.select_related("patient", "service", "therapist", "intake", "source_article")


def _visits(whole_day: Interval, clinic: Clinic, now: datetime) -> list[TodaysVisit]:
    shown = (Status.BOOKED, Status.COMPLETED, Status.NO_SHOW)
    rows = Appointment.objects.with_has_been_here(now=now).with_was_texted()
    rows = rows.filter(starts_at__gte=whole_day.start, starts_at__lt=whole_day.end, status__in=shown)
    return [
        TodaysVisit(
            appointment=row,
            time=clinic_time(row.starts_at, clinic),
            is_new=not row.has_been_here,
            intake=row.intake.progress if row.intake else "",
            has_begun=row.starts_at <= now,
            outcome=row.outcome_at(now),
        )
        for row in _with_details(rows.order_by("starts_at", "therapist__position"))
    ]


def _gaps(schedules: list[Schedule], whole_day: Interval, clinic: Clinic) -> list[Gap]:
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
        )
        for interval, therapist in sorted(gaps, key=lambda gap: gap[0])
    ]


def _open_time(schedule: Schedule, whole_day: Interval) -> list[Interval]:
    return subtract(intersect(schedule.all_openings, [whole_day]), schedule.closed)


def _next_visits(whole_day: Interval, clinic: Clinic, now: datetime) -> list[TodaysVisit]:
    """Return the visits of the next day that has any."""
    ahead = Appointment.objects.filter(starts_at__gte=whole_day.end, status=Status.BOOKED)
    first = ahead.order_by("starts_at").values_list("starts_at", flat=True).first()
    if first is None:
        return []
    return _visits(day_interval(first.astimezone(clinic.zone).date(), 1, clinic.zone), clinic, now)


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
    sent = Message.objects.filter(kind=OFFER, subject_id=OuterRef("pk"), state=State.SENT)
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
