"""Book the demo's visits, from DAYS_BEHIND days ago to DAYS_AHEAD days from today, by the usual booking function."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import cycle

from django.db.models import F, Q

from booking.actions.attend import complete_visits, confirm_appointment, mark_arrived, mark_no_show, say_here
from booking.actions.block_time import close_on_holiday, holiday_rows
from booking.actions.book import BookingRequest, Contact, book_appointment
from booking.actions.change import cancel_appointment
from booking.models import Appointment, OpeningHours, Service
from booking.models.appointment import AT_CLINIC
from booking.models.visit_states import HERE_FROM
from booking.schedule.availability import FreeSlot, free_slots
from booking.schedule.slots import Slot
from booking.wait_list.entries import Wishes, join_wait_list
from clinic.demo.intakes import fill_intake, follow_up_flags
from clinic.outbox.models import Message, State
from clinic.practice.models import Clinic, Therapist, User
from clinic.practice.people.patients import accept_patient
from education.models import Article

BOOKED_AHEAD = timedelta(days=6)  # longer than any service's minimum notice
DAYS_BEHIND, DAYS_AHEAD = 28, 8


@dataclass(frozen=True)
class Booking:
    """A visit to book: at the first free time from `hour` on, with its outcome once it is over."""

    hour: int
    service: str
    name: str
    intake: str = ""  # a key of the stories in clinic.demo.intakes
    followed_up: str = ""  # a key of the work on flags there
    ending: str = "came"  # came, no-show, cancelled, or open (not marked)
    is_confirmed: bool = False
    from_article: bool = False
    would_come_earlier: bool = False
    has_used_link: bool = True  # has opened an emailed link, so the patient is known


# For today, or the next open day.
MAIN_DAY = (
    Booking(8, "evaluation", "Maya Lindqvist", "front of hip, walking hurts", is_confirmed=True, from_article=True),
    Booking(10, "follow-up", "Tom Reyes", is_confirmed=True),
    Booking(11, "discovery-call", "Priya Raman", "left half way", has_used_link=False),
    Booking(13, "evaluation", "Maximiliana Fernández-Oyelaran de la Cruz", "front of hip, gradual", from_article=True),
    Booking(15, "follow-up", "Sam Whitcomb"),
)
DAY_BEFORE = (
    Booking(9, "evaluation", "Walter Brandt", "knee after a race"),
    Booking(11, "follow-up", "Denise Okafor", ending="open"),
    Booking(14, "follow-up", "Grace Nakamura", ending="no-show"),
)
DAYS_AFTER = (
    (
        Booking(9, "evaluation", "Ada Kowalczyk"),
        Booking(11, "discovery-call", "Jonah Pike", from_article=True, has_used_link=False),
        Booking(13, "follow-up", "Denise Okafor"),
    ),
    (Booking(10, "follow-up", "Tom Reyes"), Booking(13, "evaluation", "Owen Castellano")),
    (Booking(8, "evaluation", "Lena Fournier", would_come_earlier=True), Booking(11, "follow-up", "Ruth Hadley")),
    (Booking(9, "follow-up", "Grace Nakamura"), Booking(14, "follow-up", "Walter Brandt")),
)
WALKING_HURTS, ALSO_HURTS = (
    Booking(11, "evaluation", name, "front of hip, walking hurts", followed_up=work)
    for name, work in (("Tom Reyes", "reached, ruled out"), ("Denise Okafor", "left word, confirmed"))
)
# For the month before: FIRST_DAYS, then USUAL_DAYS in rotation.
FIRST_DAYS = (
    (Booking(9, "evaluation", "Walter Brandt", "knee after a race, at first"), WALKING_HURTS),
    (Booking(9, "evaluation", "Sam Whitcomb"), ALSO_HURTS),
)
USUAL_DAYS = (
    (Booking(9, "follow-up", "Tom Reyes"), Booking(11, "evaluation", "Grace Nakamura")),
    (Booking(10, "follow-up", "Sam Whitcomb", ending="cancelled"),),
    (Booking(8, "follow-up", "Denise Okafor"), Booking(11, "follow-up", "Walter Brandt")),
    (Booking(9, "discovery-call", "Ruth Hadley", ending="no-show"),),
    (Booking(10, "follow-up", "Grace Nakamura"), Booking(11, "follow-up", "Ruth Hadley")),
)
MAILBOX_GONE = "Ada Kowalczyk"  # one of her messages is recorded as failed


def book_demo_visits(*, now: datetime) -> int:
    """Book the demo's visits around `now`, on days without visits, and close the clinic on federal holidays.

    If the clinic is closed today, today's visits are on the next open day. Also completes past visits and settles their
    messages. Returns the number of visits booked.
    """
    clinic = Clinic.objects.current()
    today = now.astimezone(clinic.zone).date()
    closed = _close_on_holidays(today, clinic)
    booked = 0
    for day, bookings in _plan_days(today, closed):
        if not _has_visits(day, clinic):
            booked += _book_day(day, bookings, clinic=clinic, now=now)
    complete_visits(now=now)
    _let_one_wait(now=now)
    _settle_past_messages(now=now)
    return booked


def _close_on_holidays(today: date, clinic: Clinic) -> set[date]:
    """Close the clinic on federal holidays, from DAYS_BEHIND days before `today` to a year after. Returns the dates."""
    first = today - timedelta(days=DAYS_BEHIND)
    rows = holiday_rows(first_day=first, zone=clinic.zone, days=DAYS_BEHIND + 365)
    by = User.objects.filter(therapist__isnull=False)[0]
    for row in rows:
        close_on_holiday(row, despite_visits=True, by=by)
    return {row.holiday.on for row in rows}


def _plan_days(today: date, closed: set[date]) -> Iterator[tuple[date, Iterable[Booking]]]:
    """Yield (day, its bookings) for every open day from DAYS_BEHIND days before `today` to DAYS_AHEAD days after it."""
    weekdays = set(OpeningHours.objects.values_list("weekday", flat=True))
    days = [today + timedelta(days=offset) for offset in range(-DAYS_BEHIND, DAYS_AHEAD + 1)]
    days = [day for day in days if day.weekday() in weekdays and day not in closed]
    behind, ahead = [day for day in days if day < today], [day for day in days if day >= today]
    month = [*FIRST_DAYS, *(bookings for _, bookings in zip(behind, cycle(USUAL_DAYS), strict=False))]
    yield from zip(behind, [*month[: len(behind) - 1], DAY_BEFORE], strict=True)
    yield from zip(
        ahead, [MAIN_DAY, *(bookings for _, bookings in zip(ahead[1:], cycle(DAYS_AFTER), strict=False))], strict=True
    )


def _let_one_wait(*, now: datetime) -> None:
    """Let the patient of the running or next visit say that they are here, if it is about time."""
    soon = Appointment.objects.filter(status=Appointment.Status.BOOKED, mode__in=AT_CLINIC)
    visit = soon.filter(starts_at__lte=now + HERE_FROM, ends_at__gt=now).order_by("starts_at").first()
    if visit is not None and visit.arrived_at is None and visit.here_at is None:
        say_here(appointment=visit, now=min(now, visit.starts_at - timedelta(minutes=4)))


def _settle_past_messages(*, now: datetime) -> None:
    """Mark messages overdue for a day as sent if they have expired or their visit is over.

    Otherwise the first worker would send a month of confirmations at once. If no message has failed yet, marks one to
    MAILBOX_GONE as failed.
    """
    past = Message.objects.filter(state=State.WAITING, due_at__lt=now - timedelta(days=1))
    gone = past.filter(patient__name=MAILBOX_GONE).order_by("due_at").first()
    if gone is not None and not Message.objects.filter(state=State.FAILED).exists():
        gone.state, gone.reason, gone.attempts, gone.settled_at = State.FAILED, "SMTPRecipientsRefused 550", 1, now
        gone.save(update_fields=["state", "reason", "attempts", "settled_at"])
    over = past.filter(
        Q(not_after__lt=now) | Q(subject_id__in=Appointment.objects.filter(ends_at__lt=now).values("pk"))
    )
    over.update(state=State.SENT, attempts=1, settled_at=F("due_at"))


def _has_visits(day: date, clinic: Clinic) -> bool:
    start = datetime(day.year, day.month, day.day, tzinfo=clinic.zone)
    return Appointment.objects.filter(starts_at__gte=start, starts_at__lt=start + timedelta(days=1)).exists()


def _book_day(day: date, bookings: Iterable[Booking], *, clinic: Clinic, now: datetime) -> int:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=clinic.zone)
    booked_at = min(now - timedelta(days=1), noon) - BOOKED_AHEAD + timedelta(days=max(0, (noon - now).days - 1))
    booked = 0
    for booking in bookings:
        service = Service.objects.get(slug=booking.service)
        slots = free_slots(service=service, first_day=day, days=1, now=booked_at, clinic=clinic)
        slot = next((slot for slot in slots if slot.starts_at.astimezone(clinic.zone).hour >= booking.hour), None)
        if slot is not None:
            _book(booking, service, slot, booked_at=booked_at, now=now)
            booked += 1
    return booked


def _book(booking: Booking, service: Service, slot: FreeSlot, *, booked_at: datetime, now: datetime) -> None:
    user = Therapist.objects.get(pk=slot.therapist.pk).user
    request = BookingRequest(
        slot=Slot(service, slot.therapist, slot.starts_at),
        mode=service.modes[0].name,
        contact=Contact(
            name=booking.name, email=f"{booking.name.split()[0].lower()}@runners.example", phone="+16035550117"
        ),
        idempotency_key=uuid.uuid4(),
        source_article=Article.objects.get(slug="hip-flexor-pain-running") if booking.from_article else None,
    )
    by = user if service.is_follow_up else None  # staff book it at the end of the previous visit
    appointment = book_appointment(booking=request, now=booked_at, by=by)
    assert appointment.patient is not None  # every booked visit has one
    if booking.has_used_link:
        accept_patient(appointment.patient, now=booked_at)
        appointment = Appointment.objects.select_related("patient", "intake", "therapist").get(pk=appointment.pk)
    if booking.intake and appointment.intake:
        fill_intake(response=appointment.intake, story=booking.intake, now=min(now, booked_at + timedelta(hours=3)))
    if booking.followed_up and appointment.intake and user:
        follow_up_flags(response=appointment.intake, work=booking.followed_up, by=user, now=now)
    if booking.would_come_earlier and appointment.patient:
        days = Wishes(booked_at.date(), appointment.starts_at.date())
        join_wait_list(
            patient=appointment.patient,
            service=service,
            mode=appointment.mode,
            wishes=days,
            appointment=appointment,
            now=booked_at,
        )
    if booking.is_confirmed:
        confirm_appointment(appointment=appointment, now=booked_at + timedelta(hours=2))
    _end(appointment, booking.ending, now=now)


def _end(appointment: Appointment, ending: str, *, now: datetime) -> None:
    """Record the outcome of a visit that is over at `now`. No-op for a later visit, or if `ending` is "open"."""
    if appointment.ends_at > now or ending == "open":
        return
    by = appointment.therapist.user
    assert by is not None  # the demo's therapist has an account
    if ending == "cancelled":
        cancel_appointment(appointment=appointment, now=appointment.starts_at - timedelta(days=3))
    elif ending == "no-show":
        mark_no_show(appointment=appointment, by=by, now=appointment.ends_at)
    else:
        mark_arrived(appointment=appointment, by=by, now=appointment.starts_at)
