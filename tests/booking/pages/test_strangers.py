"""A stranger who knows a patient's name, address and phone number, but cannot read the patient's email.

Nothing they send to the public pages, in any order, discloses or changes existing data.
"""

import re
import uuid
from datetime import date, timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.db import models, transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from assessments.models import Flag, Response
from booking.models import Appointment, WaitListEntry
from booking.wait_list.entries import Wishes, join_wait_list
from clinic.outbox.models import Message, Suppression, TextConsent
from clinic.practice.models import Clinic, ConfirmationCode, Patient, PatientLink
from tests.world import NINE_ON_TUESDAY, NOW, book

pytestmark = pytest.mark.django_db

ALICE = {"name": "Alice Runner", "email": "alice@example.com"}
SPELLINGS = (
    {},
    {"name": "ALICE  RUNNER"},
    {"email": "Alice@Example.COM"},
    {"name": "alice runner", "email": " alice@example.com "},
)
NUMBERS = ("603 555 0142", "603 555 0199")  # one of the stranger's own, and Alice's
WISHES = {"part_of_day": "", "first_on": "2026-11-24", "last_on": "2026-12-18"}
UNDER_A_VISIT = (
    "", "again/", "earlier/", "messages/", "questions/", "cancel/", "undo/", "coming/", "not-coming/", "confirm/",
    "address/", "mail/", "first-name/", "move/", "visit.ics",
)  # fmt: skip
UNDER_AN_INTAKE = ("", "page/safety/", "page/signs/", "page/where/", "check/", "stop/", "done/", "confirm/")
FORMS = {
    "earlier/": WISHES,
    "address/": {"email": "mallory@example.com"},
    "confirm/": {"action": "send", "code": "123456"},
    "page/safety/": {"seen": ["about.age"], "about.age": "50-up"},
}


@pytest.fixture
def alices_visit(evaluation):
    """Alice, a known patient: a visit with answers, a wait list entry, consent to texts, a birth date."""
    call_command("load_definitions", verbosity=0)
    evaluation.intake_slug = "hip-running-intake"
    evaluation.save()
    Clinic.objects.update(bookings_a_day_per_address=0, bookings_a_day_per_network=0)
    visit = book(evaluation, starts_at=NINE_ON_TUESDAY + timedelta(days=14))
    Patient.objects.update(birth_on=date(1987, 6, 5), time_zone="America/Denver")
    visit.patient.refresh_from_db()
    Response.objects.get(pk=visit.intake_id)
    visit.intake.answers = {"about.age": ["21-49"], "psy.hope": ["canary of an answer"]}
    visit.intake.saved_pages = ["safety"]
    visit.intake.saved_at = NOW
    visit.intake.save()
    wishes = Wishes(date(2026, 11, 24), date(2026, 12, 12), "before-work")  # ends on a Saturday, which no page offers
    join_wait_list(
        patient=visit.patient, service=evaluation, mode="in_person", wishes=wishes, appointment=visit, now=NOW
    )
    TextConsent.objects.create(patient=visit.patient, phone=visit.patient.phone, wording="yes", given_at=NOW)
    return visit


def rows_of(patient) -> dict:
    """Return the patient's stored row and every stored row that refers to it, by (model, key)."""
    models_of = [relation for relation in Patient._meta.related_objects if relation.related_model is not Patient]
    found = {("patient", patient.pk): Patient.objects.filter(pk=patient.pk).values().get()}
    for relation in models_of:
        rows = relation.related_model._base_manager.filter(**{relation.field.name: patient.pk})
        found |= {(relation.related_model.__name__, row["id"]): row for row in plain(rows)}
    for model in (Flag,):
        found |= {(model.__name__, row["id"]): row for row in plain(model.objects.filter(response__patient=patient))}
    return found


def plain(rows: models.QuerySet) -> list[dict]:
    """Return the rows with encrypted values as bytes, so that they can be compared."""
    found = []
    for row in rows.values():
        found.append(
            {
                name: bytes(getattr(value, "token", value)) if "Sealed" in repr(value) else value
                for name, value in row.items()
            }
        )
    return found


class Stranger:
    """A browser, and every private path that it was redirected to."""

    def __init__(self):
        self.browser, self.seen, self.paths, self.starts = Client(), [], [], 0

    def send(self, method, path, form=None):
        answer = getattr(self.browser, method)(path, form or {})
        self.seen.append(answer.content.decode(errors="replace") + repr(answer.headers) + repr(answer.cookies))
        if (location := answer.headers.get("Location", "")) and re.search(r"/[\w-]{43}/", location):
            self.paths.append(re.match(r"(.*?/[\w-]{43}/)", location)[1])
        return answer

    def book(self, spelling, number):
        self.starts += 1
        starts_at = NINE_ON_TUESDAY + timedelta(days=(self.starts % 4), hours=2 * (self.starts // 4 % 3))
        path = f"/book/evaluation/meredith/{starts_at:%Y%m%dT%H%MZ}/"
        typed = ALICE | spelling | {"phone": number, "mode": "in_person", "idempotency_key": str(uuid.uuid4())}
        self.send("post", path, typed)
        self.send("get", path)

    def join(self, spelling, number):
        self.send("post", "/book/evaluation/wait/", ALICE | WISHES | spelling | {"phone": number, "mode": "in_person"})

    def ask_for_a_link(self, spelling, number):
        self.send("post", "/again/", {"email": (ALICE | spelling)["email"]})

    def browse(self, method, which, number):
        if not self.paths:
            return
        path = self.paths[which % len(self.paths)]
        below = (
            UNDER_A_VISIT if path.startswith("/visits/") else UNDER_AN_INTAKE if path.startswith("/intake/") else ("",)
        )
        page = below[number % len(below)]
        self.send(method, path + page, FORMS.get(page))


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["book", "join", "ask_for_a_link"]), st.sampled_from(SPELLINGS), st.sampled_from(NUMBERS)
        ),
        st.tuples(st.just("browse"), st.sampled_from(["get", "post"]), st.integers(0, 5), st.integers(0, 13)),
    ),
    min_size=4,
    max_size=14,
)


@given(steps=STEPS)
@settings(
    max_examples=20,
    phases=[Phase.explicit, Phase.generate],  # each step is a request, and shrinking would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_nothing_of_a_patient_is_disclosed_or_changed_when_a_stranger_types_their_name(alices_visit, steps):
    alice, stranger = alices_visit.patient, Stranger()
    before, clean = (
        rows_of(alice),
        transaction.savepoint_create(),
    )  # rate limits refuse to run inside an atomic block
    with time_machine.travel(NOW, tick=False):
        for step, *arguments in [("book", {}, NUMBERS[0]), *steps]:
            getattr(stranger, step)(*arguments)
        after = rows_of(alice)
    transaction.savepoint_rollback(clean)
    assert {key: after.get(key) for key in before} == before
    new = {model for model, _ in after.keys() - before.keys()}
    assert new <= {"Message"}  # at most an email to Alice's own mailbox about her own wait list entry
    secrets = (
        alices_visit.reference,
        "0199",
        "canary of an answer",
        "1987",
        "Denver",
        'value="before-work" selected',
        "2026-12-12",
    )
    typed_by_stranger = any("0199" in str(argument) for _, *arguments in steps for argument in arguments)
    for page in stranger.seen:
        for secret in secrets:
            assert secret not in page or (secret == "0199" and typed_by_stranger), secret
        assert "returning=" not in page  # the cookie of a recognized patient


def test_visit_booked_by_a_stranger_belongs_to_a_provisional_patient(alices_visit, client):
    stranger = Stranger()
    with time_machine.travel(NOW, tick=False):
        stranger.book({}, NUMBERS[0])
    visit = Appointment.objects.exclude(pk=alices_visit.pk).select_related("patient").get()
    assert visit.patient.is_provisional and visit.patient != alices_visit.patient
    assert [link.proof for link in PatientLink.objects.filter(patient=visit.patient)] == [1]


def test_stranger_who_joins_the_wait_list_adds_no_entry(alices_visit):
    with time_machine.travel(NOW, tick=False):
        Stranger().join({}, NUMBERS[0])
    assert WaitListEntry.objects.waiting().count() == 1
    told = Message.objects.get(kind="booking_on_wait_list")
    assert told.patient == alices_visit.patient  # the link to the entry is in her mailbox
    assert not Suppression.objects.exists() and not ConfirmationCode.objects.exists()
