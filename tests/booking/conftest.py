"""A small clinic by the lake: one therapist, nine to five with lunch, a call by phone and an evaluation in person."""

import uuid
from dataclasses import fields, replace
from datetime import UTC, date, datetime, time

import pytest
from hypothesis import settings

from booking.actions.book import Contact, book_appointment
from booking.models import OpeningHours, Service
from clinic.env import parse_sms_url
from clinic.outbox.texts import providers as text_providers
from clinic.practice.models import Clinic, Therapist, User
from clinic.practice.people.patients import accept_patient
from tests.clinic.twilio import ACCOUNT, TOKEN, Twilio

settings.register_profile("unhurried", deadline=None)  # how fast a shared machine is says nothing about the arithmetic
settings.load_profile("unhurried")

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)  # a Monday, 10:00 in New York
TUESDAY = date(2026, 12, 1)
NINE_ON_TUESDAY = datetime(2026, 12, 1, 14, tzinfo=UTC)


@pytest.fixture
def now():
    return NOW


@pytest.fixture
def clinic(db):
    return Clinic.objects.create(
        name="Lakes Running Clinic",
        street="12 Main Street",
        city="Laconia",
        region="NH",
        postal_code="03246",
        phone="+16035550123",
        email="hello@clinic.example",
        time_zone="America/New_York",
        what_to_bring="The shoes you run in.",
        change_policy="Late changes cost half the price.",
    )


def give_hours(therapist, *, weekdays=range(5), stretches=((9, 12), (13, 17))):
    OpeningHours.objects.bulk_create(
        OpeningHours(therapist=therapist, weekday=weekday, opens=time(opens), closes=time(closes))
        for weekday in weekdays
        for opens, closes in stretches
    )


def make_therapist(name="Meredith", position=0):
    therapist = Therapist.objects.create(name=name, slug=name.lower(), credentials="PT, DPT", position=position)
    give_hours(therapist)
    return therapist


@pytest.fixture
def meredith(clinic):
    return make_therapist()


@pytest.fixture
def evaluation(meredith):
    service = Service.objects.create(
        slug="evaluation",
        name="Evaluation",
        summary="A first visit with a running analysis.",
        minutes=45,
        start_step_minutes=30,
        prepare_minutes=0,
        turnover_minutes=15,
        price_cents=15000,
    )
    service.therapists.add(meredith)
    return service


@pytest.fixture
def call(meredith):
    service = Service.objects.create(
        slug="call",
        name="Discovery call",
        summary="Find out whether we can help.",
        minutes=15,
        start_step_minutes=15,
        price_cents=0,
        by_phone=True,
        in_person=False,
        position=1,
    )
    service.therapists.add(meredith)
    return service


@pytest.fixture
def front_desk(db):
    return User.objects.create_user("frank@clinic.example", name="Frank", is_staff=True)


@pytest.fixture
def twilio(settings, monkeypatch):
    server = Twilio()
    url = f"twilio://{ACCOUNT}:{TOKEN}@16035550111?api={server.url}"
    settings.ENV = replace(settings.ENV, texts=parse_sms_url(url))
    monkeypatch.setattr(text_providers, "TIMEOUT_S", 0.5)
    yield server
    server.close()


def book(service, *, starts_at=NINE_ON_TUESDAY, now=NOW, name="Alice Runner", is_known=True, **changes):
    """Book as Alice would; `changes` are of the booking or of her contact. Unless `is_known` is False she has used the
    link from her mailbox since."""
    email = f"{name.split()[0].lower()}@example.com"
    contact = {"name": name, "email": email, "phone": "+16035550199"}
    contact |= {field.name: changes.pop(field.name) for field in fields(Contact) if field.name in changes}
    details = {
        "service": service,
        "therapist": service.therapists.first(),
        "starts_at": starts_at,
        "mode": service.modes[0],
        "contact": Contact(**contact),
        "idempotency_key": uuid.uuid4(),
        "now": now,
    }
    visit = book_appointment(**details | changes)
    if is_known:
        visit.patient = accept_patient(visit.patient, now=now)
    return visit
