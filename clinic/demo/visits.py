"""The demo's visits, always around the present day: booked through the same function as everybody's."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from booking.appointments import Contact, book_appointment
from booking.attendance import complete_visits, confirm_appointment, mark_arrived
from booking.availability import Slot, free_slots
from booking.models import Appointment, Service
from booking.wait_list import Wishes, join_wait_list
from clinic.demo.intakes import fill_intake
from clinic.practice.models import Clinic, Therapist
from clinic.practice.patients import accept_patient
from education.models import Article

BOOKED_AHEAD = timedelta(days=6)  # long enough before for any notice the services ask for


@dataclass(frozen=True)
class Booking:
    """Somebody's visit: `day` days from today, the first free time from `hour` on."""

    day: int
    hour: int
    service: str
    name: str
    intake: str = ""  # a story of clinic.demo.intakes
    is_confirmed: bool = False
    has_arrived: bool = False
    from_article: bool = False
    would_come_earlier: bool = False
    has_used_link: bool = True  # the one in the mailbox, so that the patient is known


BOOKINGS = (
    Booking(-7, 9, "evaluation", "Tom Reyes", has_arrived=True),
    Booking(-7, 11, "evaluation", "Sam Whitcomb", has_arrived=True),
    Booking(-7, 14, "evaluation", "Denise Okafor", has_arrived=True),
    Booking(-1, 9, "evaluation", "Walter Brandt", "knee after a race", has_arrived=True),
    Booking(-1, 14, "follow-up", "Denise Okafor"),
    Booking(0, 8, "evaluation", "Maya Lindqvist", "front of hip, walking hurts", is_confirmed=True, from_article=True),
    Booking(0, 10, "follow-up", "Tom Reyes", is_confirmed=True),
    Booking(0, 11, "discovery-call", "Priya Raman", "left half way", has_used_link=False),
    Booking(
        0, 13, "evaluation", "Maximiliana Fernández-Oyelaran de la Cruz", "front of hip, gradual", from_article=True
    ),
    Booking(0, 15, "follow-up", "Sam Whitcomb"),
    Booking(1, 9, "evaluation", "Ada Kowalczyk"),
    Booking(1, 13, "discovery-call", "Jonah Pike", from_article=True, has_used_link=False),
    Booking(2, 10, "follow-up", "Tom Reyes"),
    Booking(3, 8, "evaluation", "Lena Fournier", would_come_earlier=True),
    Booking(6, 14, "follow-up", "Walter Brandt"),
)


def book_demo_visits(*, now: datetime) -> int:
    """Book the demo's visits around `now`, on days that have none yet. Returns how many were booked.

    A day on which the clinic is closed stays empty, as it would.
    """
    clinic = Clinic.objects.current()
    today = now.astimezone(clinic.zone).date()
    booked = 0
    for offset in sorted({booking.day for booking in BOOKINGS}):
        day = today + timedelta(days=offset)
        if _has_visits(day, clinic):
            continue
        booked += _book_day(day, (booking for booking in BOOKINGS if booking.day == offset), clinic=clinic, now=now)
    complete_visits(now=now)
    return booked


def _has_visits(day: date, clinic: Clinic) -> bool:
    start = datetime(day.year, day.month, day.day, tzinfo=clinic.zone)
    return Appointment.objects.filter(starts_at__gte=start, starts_at__lt=start + timedelta(days=1)).exists()


def _book_day(day: date, bookings: Iterable[Booking], *, clinic: Clinic, now: datetime) -> int:
    booked = 0
    for booking in bookings:
        service = Service.objects.get(slug=booking.service)
        booked_at = now - BOOKED_AHEAD + timedelta(days=booking.day if booking.day < 0 else max(0, booking.day - 1))
        slots = free_slots(service=service, first_day=day, days=1, now=booked_at, clinic=clinic)
        slot = next((slot for slot in slots if slot.starts_at.astimezone(clinic.zone).hour >= booking.hour), None)
        if slot is not None:
            _book(booking, service, slot, booked_at=booked_at, now=now)
            booked += 1
    return booked


def _book(booking: Booking, service: Service, slot: Slot, *, booked_at: datetime, now: datetime) -> None:
    user = Therapist.objects.get(pk=slot.therapist.pk).user
    appointment = book_appointment(
        service=service,
        therapist=slot.therapist,
        starts_at=slot.starts_at,
        mode=service.modes[0],
        contact=Contact(
            name=booking.name, email=f"{booking.name.split()[0].lower()}@runners.example", phone="+16035550117"
        ),
        idempotency_key=uuid.uuid4(),
        source_article=Article.objects.get(slug="hip-flexor-pain-running") if booking.from_article else None,
        now=booked_at,
        by=user if service.is_follow_up else None,  # arranged at the end of the visit before
    )
    if booking.has_used_link:
        accept_patient(appointment.patient, now=booked_at)
        appointment = Appointment.objects.select_related("patient", "intake").get(pk=appointment.pk)
    if booking.intake:
        fill_intake(response=appointment.intake, story=booking.intake, now=min(now, booked_at + timedelta(hours=3)))
    if booking.would_come_earlier:
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
    if booking.has_arrived:
        mark_arrived(appointment=appointment, by=user, now=appointment.starts_at)
