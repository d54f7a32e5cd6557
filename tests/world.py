"""The one clinic of the tests: its dates, its therapists' hours, and visits booked as patients book them."""

import uuid
from dataclasses import fields
from datetime import UTC, date, datetime, time, timedelta

from booking.actions.book import BookingRequest, Contact, book_appointment
from booking.models import OpeningHours
from booking.schedule.errors import NotOfferedBecause
from booking.schedule.slots import Slot
from clinic.practice.models import Therapist
from clinic.practice.people.patients import accept_patient

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)  # Monday, 10 AM in New York, where the clinic is
TUESDAY = date(2026, 12, 1)
NINE_ON_TUESDAY = datetime(2026, 12, 1, 14, tzinfo=UTC)
WRITTEN_AT = datetime(2025, 6, 3, 14, tzinfo=UTC)  # when the articles were written
EVERY_RULE = frozenset(NotOfferedBecause)  # as `despite_rules`
NOON = datetime(2026, 12, 1, 17, tzinfo=UTC)  # on TUESDAY


def give_hours(therapist, *, weekdays=range(5), stretches=((9, 12), (13, 17))):
    """Open `therapist` for `stretches` of whole hours, local time; by default Monday to Friday with a lunch break."""
    OpeningHours.objects.bulk_create(
        OpeningHours(therapist=therapist, weekday=weekday, opens=time(opens), closes=time(closes))
        for weekday in weekdays
        for opens, closes in stretches
    )


def make_therapist(name="Meredith", position=0):
    """Create a therapist with opening hours."""
    therapist = Therapist.objects.create(name=name, slug=name.lower(), credentials="PT, DPT", position=position)
    give_hours(therapist)
    return therapist


def book(service, *, starts_at=NINE_ON_TUESDAY, now=NOW, name="Alice Runner", is_known=True, **changes):
    """Book as Alice would and return the visit. `changes` are to the booking or her contact data.

    Her address counts as confirmed, as if she had opened the link in her email, unless `is_known` is False.
    """
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
