"""People and messages for tests. The clinic is in New York; nobody has a number that rings."""

from datetime import UTC, datetime, timedelta

import factory
from factory.django import DjangoModelFactory

from clinic.outbox.models import Message, State
from clinic.practice.models import Clinic, Patient, Therapist, User

NOON = datetime(2026, 12, 1, 17, tzinfo=UTC)  # a Tuesday, noon in New York


class ClinicFactory(DjangoModelFactory):
    class Meta:
        model = Clinic

    id = 1
    name = "Lakeside Running Clinic"
    street = "4 Mill Street"
    city = "Concord"
    region = "NH"
    postal_code = "03301"
    phone = "+16035550100"
    email = "hello@lakeside.example"
    time_zone = "America/New_York"


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User

    name = "Tess Walker"
    email = factory.Sequence(lambda n: f"staff{n}@lakeside.example")
    is_staff = True


class TherapistFactory(DjangoModelFactory):
    class Meta:
        model = Therapist

    name = "Tess Walker"
    slug = factory.Sequence(lambda n: f"therapist-{n}")
    credentials = "PT, DPT"


class PatientFactory(DjangoModelFactory):
    class Meta:
        model = Patient

    name = "Alice Moore"
    email = factory.Sequence(lambda n: f"alice{n}@example.com")
    phone = "+16035550123"
    created_at = NOON - timedelta(days=1)


class MessageFactory(DjangoModelFactory):
    """A letter to Alice that is due at NOON and worth sending for six hours."""

    class Meta:
        model = Message

    kind = "letter"
    patient = factory.SubFactory(PatientFactory)
    subject_id = factory.Faker("uuid4", cast_to=None)
    dedupe_key = factory.LazyAttribute(lambda message: f"{message.kind}:{message.subject_id}:1:email")
    due_at = NOON
    not_after = factory.LazyAttribute(lambda message: message.due_at + timedelta(hours=6))
    next_attempt_at = factory.SelfAttribute("due_at")
    created_at = NOON - timedelta(days=1)
    state = State.WAITING
