"""The sections of Today about visits and the wait list. They are read in a constant number of queries."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.db.models import Exists, OuterRef
from django.urls import reverse

from booking.messages.delivery import visits_to_call
from booking.messages.names import OFFER
from booking.models import Appointment, OpeningHours, Service, SlotOffer, WaitListEntry
from booking.models.appointment import AppointmentQuerySet
from booking.models.visit_states import Outcome
from booking.schedule.local_time import LocalTime, clinic_time
from booking.schedule.off_schedule import visits_off_schedule
from booking.schedule.schedules import read_schedules
from booking.staff.rights import BOOKS_VISITS, CHANGES_WAIT_LIST, SEES_VISITS, SEES_WAIT_LIST
from booking.staff.todays_gaps import is_open_today, read_gaps
from booking.staff.todays_visits import CALL, DAY, SHOWN, UNMARKED, VisitRow, rights_of, split_day, visit_rows
from booking.staff.visit_status import Chip
from booking.time.holidays import holidays_between
from booking.time.intervals import Interval
from booking.time.opening_hours import day_interval
from clinic.outbox.models import Message
from clinic.outbox.models import State as MessageState
from clinic.practice.models import Clinic, Patient, Therapist, User
from clinic.practice.registry.rights import may_see
from clinic.practice.registry.today import Group, Place, Section, register_section

UNMARKED_FOR = timedelta(days=14)  # how far back unmarked visits are listed
MOST_OFFERS, MOST_VISITS = 100, 10

Status = Appointment.Status


@dataclass(frozen=True)
class OfferedTime:
    """An upcoming time that was offered to the wait list, and the patient who took it, if any."""

    time: LocalTime
    is_freed: bool  # by a visit that was canceled or moved; else it was a gap
    asked: int  # number of sent offers
    taken_by: Patient | None


def register_sections() -> None:
    """Register the sections of this room."""
    for section in (SET_UP, WITHOUT_QUESTIONS, VISITS, WAIT_LIST):
        register_section(section)


def read_visits(*, now: datetime, clinic: Clinic, by: User, therapist: Therapist | None = None) -> dict[str, Any]:
    """Read the visits of the clinic's day at `now`, its gaps, and the visits of other days that need staff."""
    day = now.astimezone(clinic.zone).date()
    whole_day = day_interval(day, 1, clinic.zone)
    rows = _Rows(clinic, now, by, therapist)
    visits = rows.of_day(whole_day)
    split = split_day(visits, now=now)
    schedules = read_schedules(first_day=day, days=1, now=now, clinic=clinic, therapist=therapist)
    return {
        "visits": visits,
        "day": split,
        "rest_of_day": split.later or split.earlier,
        "gaps": read_gaps(schedules, whole_day, clinic=clinic, by=by, now=now),
        "is_closed": not any(is_open_today(schedule, whole_day) for schedule in schedules),
        "holiday": next((holiday.name for holiday in holidays_between(day, day)), ""),
        "next_visits": [] if split.now or split.later else rows.of_next_day(whole_day),
        "unmarked": rows.of(_unmarked(whole_day), UNMARKED),
        "cannot_come": rows.of(_cannot_come(now), "cannot-come"),
        "to_call": rows.of(visits_to_call(now=now), CALL),
        "off_schedule": rows.off_schedule(),
        "may_book": may_see(by, [BOOKS_VISITS]),
        "may_offer": may_see(by, [CHANGES_WAIT_LIST]),
        **rights_of(by),
    }


def read_wait_list(*, now: datetime, clinic: Clinic, by: User, therapist: Therapist | None = None) -> dict[str, Any]:
    """Read the number of people who wait, the times that were offered, and the entries that cannot be served."""
    today = now.astimezone(clinic.zone).date()
    entries = WaitListEntry.objects.unexpired(now=now, today=today)
    waiting, offered = entries.count(), _offered_times(now, clinic, therapist)
    return {
        "waiting": waiting,
        "offered_times": offered,
        "wait_list": waiting or offered,
        "stuck_waits": entries.stuck().count(),
    }


def read_set_up(
    *, now: datetime, clinic: Clinic, by: User, therapist: Therapist | None = None
) -> dict[str, Any] | None:
    """Read what keeps patients from booking: no hours, or no service with a therapist. At most two queries."""
    hours, services = reverse("admin:booking_openinghours_changelist"), reverse("admin:booking_service_changelist")
    is_open = OpeningHours.objects.filter(therapist__is_active=True).exists()
    offered = Service.objects.filter(listing=Service.Listing.BOOKABLE, therapists__is_active=True)
    missing = [
        ("Enter the opening hours: no time can be booked", hours, not is_open),
        ("Offer a service online, with a therapist: patients cannot book", services, not offered.exists()),
    ]
    items = [(text, address) for text, address, is_missing in missing if is_missing]
    return {"open_title": "Booking", "open_items": items} if items else None


def read_without_questions(
    *, now: datetime, clinic: Clinic, by: User, therapist: Therapist | None = None
) -> dict[str, Any] | None:
    """Read the next MOST_VISITS visits that have no intake although their service has one, soonest first."""
    ahead = Appointment.objects.filter(status=Status.BOOKED, starts_at__gt=now, intake=None)
    rows = _Rows(clinic, now, by, therapist)
    found = rows.of(ahead.exclude(service__intake_slug=""), "without-questions", most=MOST_VISITS)
    return {"without_questions": found, **rights_of(by)} if found else None


SET_UP = Section(
    permissions=("booking.change_service", "booking.change_openinghours"),
    read=read_set_up,
    places=(Place("admin/_today_open.html", Group.OPEN, 124),),
)
WITHOUT_QUESTIONS = Section(
    permissions=(SEES_VISITS,),
    read=read_without_questions,
    places=(Place("booking/_admin_without_questions.html", Group.REPAIRS, 30),),
)
VISITS = Section(
    permissions=(SEES_VISITS,),
    read=read_visits,
    places=(
        Place("admin/_today_now.html", Group.NOW, 5),
        Place("admin/_today_cannot_come.html", Group.CALLS, 50, needs="cannot_come"),
        Place("admin/_today_to_call.html", Group.CALLS, 60, needs="to_call"),
        Place("admin/_today_visits.html", Group.DAY, 80, needs="rest_of_day"),
        Place("admin/_today_gaps.html", Group.DAY, 110, needs="gaps"),
        Place("admin/_today_unmarked.html", Group.REPAIRS, 170, needs="unmarked"),
        Place("admin/_today_off_schedule.html", Group.REPAIRS, 180, needs="off_schedule"),
    ),
)
WAIT_LIST = Section(
    permissions=(SEES_WAIT_LIST,),
    read=read_wait_list,
    places=(
        Place("admin/_today_waiting.html", Group.DAY, 140, needs="wait_list"),
        Place("admin/_today_stuck.html", Group.REPAIRS, 190, needs="stuck_waits"),
    ),
)


@dataclass(frozen=True)
class _Rows:
    """Makes rows. With `therapist`, only of their visits."""

    clinic: Clinic
    now: datetime
    by: User
    therapist: Therapist | None

    def of(self, visits: AppointmentQuerySet, listing: str, *, most: int | None = None) -> list[VisitRow]:
        if self.therapist is not None:
            visits = visits.filter(therapist=self.therapist)
        return visit_rows(visits, listing=listing, most=most, clinic=self.clinic, now=self.now, by=self.by)

    def of_day(self, whole_day: Interval) -> list[VisitRow]:
        on_day = Appointment.objects.filter(starts_at__gte=whole_day.start, starts_at__lt=whole_day.end)
        return self.of(on_day.filter(status__in=SHOWN), DAY)

    def of_next_day(self, whole_day: Interval) -> list[VisitRow]:
        """Return the visits of the next day that has any."""
        ahead = Appointment.objects.filter(starts_at__gte=whole_day.end, status=Status.BOOKED)
        if self.therapist is not None:
            ahead = ahead.filter(therapist=self.therapist)
        first = ahead.order_by("starts_at").values_list("starts_at", flat=True).first()
        if first is None:
            return []
        zone = self.clinic.zone
        return self.of_day(day_interval(first.astimezone(zone).date(), 1, zone))

    def off_schedule(self) -> list[VisitRow]:
        """Return the visits that the schedule would not offer, with the reasons as chips."""
        found = {one.visit.pk: one for one in visits_off_schedule(now=self.now, clinic=self.clinic)}
        rows = self.of(Appointment.objects.filter(pk__in=found), "off-schedule")
        reasons = {pk: [Chip(sentence, "chip-warn") for sentence in one.sentences] for pk, one in found.items()}
        return [replace(row, chips=[*row.chips, *reasons[row.appointment.pk]]) for row in rows]


def _cannot_come(now: datetime) -> AppointmentQuerySet:
    """Return the unmarked visits, not yet over, whose patients reported that they cannot come. Staff have to call."""
    return Appointment.objects.with_outcome(Outcome.OPEN, now=now).filter(not_coming_at__isnull=False)


def _unmarked(whole_day: Interval) -> AppointmentQuerySet:
    """Return the unmarked visits that ended before today, at most `UNMARKED_FOR` ago."""
    unmarked = Appointment.objects.with_outcome(Outcome.UNMARKED, now=whole_day.start)
    return unmarked.filter(ends_at__gt=whole_day.start - UNMARKED_FOR)


def _offered_times(now: datetime, clinic: Clinic, therapist: Therapist | None) -> list[OfferedTime]:
    """Return the upcoming times that were offered, soonest first. One query, at most MOST_OFFERS rows."""
    sent = Message.objects.filter(kind=OFFER, subject_id=OuterRef("pk"), state=MessageState.SENT)
    ahead = SlotOffer.objects.filter(starts_at__gt=now).annotate(was_sent=Exists(sent)).select_related("entry__patient")
    if therapist is not None:
        ahead = ahead.filter(therapist=therapist)
    freed_time = ("starts_at", "therapist_id", "freed_by_id")
    offered = ahead.order_by(*freed_time)[:MOST_OFFERS]
    return [
        OfferedTime(
            time=clinic_time(offers[0].starts_at, clinic),
            is_freed=offers[0].freed_by_id is not None,
            asked=sum(offer.was_sent for offer in offers),
            taken_by=next((offer.entry.patient for offer in offers if offer.taken_at), None),
        )
        for offers in (list(group) for _, group in groupby(offered, attrgetter(*freed_time)))
    ]
