"""Factories for the one clinic that all tests share. Attributes have plain, valid defaults."""

from datetime import timedelta

import factory
from factory.django import DjangoModelFactory

from booking.models import Service
from clinic.outbox.models import Message, State
from clinic.practice.models import Clinic, Patient, Therapist, User
from education.models import Article, ArticleStatus, Topic
from tests.world import NOON, WRITTEN_AT


class ClinicFactory(DjangoModelFactory):
    class Meta:
        model = Clinic

    id = 1
    name = "Lakes Running Clinic"
    street = "12 Main Street"
    city = "Laconia"
    region = "NH"
    postal_code = "03246"
    phone = "+16035550123"
    email = "hello@clinic.example"
    time_zone = "America/New_York"
    what_to_bring = "The shoes you run in."
    change_policy = "Late changes cost half the price."


class UserFactory(DjangoModelFactory):
    """A user without roles, who may open no page of the admin; `is_superuser=True` may open all."""

    class Meta:
        model = User

    name = "Frank Desk"
    email = factory.Sequence(lambda n: f"staff{n}@clinic.example")


class TherapistFactory(DjangoModelFactory):
    """A therapist without opening hours."""

    class Meta:
        model = Therapist

    name = "Meredith"
    slug = factory.Sequence(lambda n: f"therapist-{n}")
    credentials = "PT, DPT"


class PatientFactory(DjangoModelFactory):
    class Meta:
        model = Patient

    name = "Alice Runner"
    email = factory.Sequence(lambda n: f"alice{n}@example.com")
    phone = "+16035550199"
    created_at = NOON - timedelta(days=1)


class ServiceFactory(DjangoModelFactory):
    """The evaluation: 45 minutes in person, starting on the hour or half hour."""

    class Meta:
        model = Service
        skip_postgeneration_save = True

    slug = "evaluation"
    name = "Evaluation"
    summary = "A first visit with a running analysis."
    minutes = 45
    start_step_minutes = 30
    turnover_minutes = 15
    price_cents = 15000

    @factory.post_generation
    def therapists(self, create, therapists):
        if therapists:
            self.therapists.add(*therapists)


class CallFactory(ServiceFactory):
    """The free discovery call: 15 minutes by phone."""

    slug = "call"
    name = "Discovery call"
    summary = "Find out whether we can help."
    minutes = 15
    start_step_minutes = 15
    turnover_minutes = 0
    price_cents = 0
    offered_modes = ["phone"]
    position = 1


class TopicFactory(DjangoModelFactory):
    class Meta:
        model = Topic
        django_get_or_create = ("slug",)

    name = "Hip and groin pain"
    slug = "hip-and-groin"


class ArticleFactory(DjangoModelFactory):
    """A published article that passes every check of publishing."""

    class Meta:
        model = Article

    topic = factory.SubFactory(TopicFactory)
    slug = "sore-hip"
    title = factory.LazyAttribute(lambda article: article.slug.replace("-", " ").capitalize())
    summary = "What a sore hip can be linked with."
    key_facts = ["Hips bend."]
    care = "::: emergency Get help now\nCall {emergency}.\n:::"
    body = "## What it is\n\nHips bend. [@weir] {limited}"
    references = [{"id": "weir", "text": "Weir. Groin pain.", "doi": "10.1136/bjsports-2015-094869"}]
    status = ArticleStatus.PUBLISHED
    published_at = WRITTEN_AT
    created_at = WRITTEN_AT
    updated_at = WRITTEN_AT


class MessageFactory(DjangoModelFactory):
    """A letter to Alice that is due at NOON and can be sent for six hours."""

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
