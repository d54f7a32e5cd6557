"""The one clinic of the tests: its days, its therapists' hours, and visits booked as patients book them."""

import uuid
from dataclasses import fields
from datetime import UTC, date, datetime, time, timedelta

from booking.actions.book import BookingRequest, Contact, book_appointment
from booking.models import OpeningHours
from booking.schedule.slots import Slot
from clinic.practice.models import Therapist
from clinic.practice.people.patients import accept_patient

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)  # a Monday, 10:00 in New York, where the clinic is
TUESDAY = date(2026, 12, 1)
NINE_ON_TUESDAY = datetime(2026, 12, 1, 14, tzinfo=UTC)
WRITTEN_AT = datetime(2025, 6, 3, 14, tzinfo=UTC)  # long before: the articles
NOON = datetime(2026, 12, 1, 17, tzinfo=UTC)  # of the same Tuesday


def give_hours(therapist, *, weekdays=range(5), stretches=((9, 12), (13, 17))):
    """Open `therapist` for `stretches` of whole hours, local time; by default Monday to Friday with a lunch break."""
    OpeningHours.objects.bulk_create(
        OpeningHours(therapist=therapist, weekday=weekday, opens=time(opens), closes=time(closes))
        for weekday in weekdays
        for opens, closes in stretches
    )


def make_therapist(name="Meredith", position=0):
    """A therapist with opening hours."""
    therapist = Therapist.objects.create(name=name, slug=name.lower(), credentials="PT, DPT", position=position)
    give_hours(therapist)
    return therapist


def book(service, *, starts_at=NINE_ON_TUESDAY, now=NOW, name="Alice Runner", is_known=True, **changes):
    """Book as Alice would; `changes` are of the booking or of her contact. Unless `is_known` is False, her address counts
    as confirmed: the link in her mail was used."""
    email = f"{name.split()[0].lower()}@example.com"
    contact = {"name": name, "email": email, "phone": "+16035550199"}
    contact |= {field.name: changes.pop(field.name) for field in fields(Contact) if field.name in changes}
    by, therapist = changes.pop("by", None), changes.pop("therapist", None) or service.therapists.first()
    details = {
        "slot": Slot(service, therapist, starts_at),
        "mode": service.offered_modes[0],
        "contact": Contact(**contact),
        "idempotency_key": uuid.uuid4(),
    }
    visit = book_appointment(booking=BookingRequest(**details | changes), now=now, by=by)
    if is_known:
        visit.patient = accept_patient(visit.patient, now=now)
    return visit
