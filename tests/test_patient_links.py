"""Whose data a patient's link opens: the patient's own, with the purpose of the link, by any method, and no one else's.

`test_proof.py` checks what a link proves, and that every page has a capability.
"""

import logging
from datetime import timedelta
from itertools import product

import pytest
import time_machine
from django.core.management import call_command
from django.db import transaction
from django.forms.models import model_to_dict
from django.test import Client
from django.urls import reverse

from assessments.models import Response
from booking.models import Appointment, SlotOffer, WaitListEntry
from clinic.audit.models import AccessEvent
from clinic.outbox.models import Message
from clinic.practice.access.links import issue_link
from clinic.practice.models import LinkPurpose, Patient, PatientLink, Proof, Role
from tests.booking.waiting import wait_with
from tests.clinic.link_pages import PATIENT_PAGES
from tests.factories import UserFactory
from tests.world import NINE_ON_TUESDAY, NOW, book

pytestmark = pytest.mark.django_db

METHODS = ("get", "head", "post", "put", "delete", "patch", "options")
ALICES = ("Alice Canary", "alice@example.com", "555-0199", "+16035550199", "alicescanary")
MORE_ARGS = {
    "booking:move_times": [NINE_ON_TUESDAY.date()],
    "booking:move": [NINE_ON_TUESDAY + timedelta(hours=1)],
    "assessments:page": ["safety"],
}


@pytest.fixture
def people(evaluation, questions):
    """Alice and Bob, each with a visit, answers, a place on the wait list and an offer. Alice's are canaries."""
    logging.disable(logging.CRITICAL)
    with time_machine.travel(NOW, tick=False):
        alice = make_rows(evaluation, "Alice Canary", hours=0)
        bob = make_rows(evaluation, "Bob Walker", hours=2, phone="+16035550102")
        yield alice, bob
    logging.disable(logging.NOTSET)


def make_rows(service, name, *, hours, **contact):
    """Return the subject of a link of each purpose, by purpose, and the patient under "patient"."""
    visit = book(service, name=name, starts_at=NINE_ON_TUESDAY + timedelta(hours=hours), **contact)
    entry = wait_with(visit)
    offer = SlotOffer.objects.create(
        entry=entry,
        therapist=visit.therapist,
        starts_at=NINE_ON_TUESDAY + timedelta(hours=hours + 1),
        freed_by=visit,
        freed_version=1,
        created_at=NOW,
        expires_at=NINE_ON_TUESDAY,
    )
    Response.objects.filter(pk=visit.intake_id).update(saved_at=NOW)
    intake = Response.objects.get(pk=visit.intake_id)
    intake.answers = {"psy.hope": [f"{name.split()[0].lower()}scanary"]}
    intake.save(update_fields=["answers"])
    subjects = {LinkPurpose.VISIT: visit, LinkPurpose.INTAKE: intake, LinkPurpose.WAITING: entry}
    subjects |= {LinkPurpose.OFFER: offer, LinkPurpose.RETURN: visit.patient, LinkPurpose.MESSAGES: visit.patient}
    return subjects | {"patient": visit.patient}


@pytest.fixture
def questions(evaluation):
    call_command("load_definitions", verbosity=0)
    evaluation.intake_slug = "hip-running-intake"
    evaluation.save()


def link_of(rows, purpose) -> str:
    return issue_link(
        patient=rows["patient"],
        purpose=purpose,
        subject_id=rows[purpose].pk,
        proof=Proof.MAILED,
        expires_at=NOW + timedelta(days=30),
        now=NOW,
    )


def ask(name, token, method, client=None):
    return getattr(client or Client(), method)(reverse(name, args=[token, *MORE_ARGS.get(name, [])]))


def rows_of(patient) -> list:
    """Return everything that is stored about a patient, except the audit log."""
    models = (Appointment, WaitListEntry, Response, Message, PatientLink)
    rows = [row for model in models for row in model.objects.filter(patient=patient).order_by("pk")]
    rows += SlotOffer.objects.filter(entry__patient=patient)
    return [model_to_dict(row) for row in [Patient.objects.get(pk=patient.pk), *rows]]


def test_another_patients_link_shows_and_changes_nothing_of_alice(people):
    alice, bob = people
    before, faults = rows_of(alice["patient"]), []
    for name, method in product(sorted(PATIENT_PAGES), METHODS):
        point = transaction.savepoint_create()
        page = ask(name, link_of(bob, PATIENT_PAGES[name].capability.purpose), method)
        text = page.content.decode(errors="replace") + page.headers.get("Location", "")
        faults += [(name, method, one) for one in ALICES if one in text]
        if rows_of(alice["patient"]) != before:
            faults.append((name, method, "changed a row"))
        transaction.savepoint_rollback(point)
    assert faults == []


def test_own_link_shows_what_the_canaries_are_for(people):
    alice, _ = people
    seen = set()
    for name, method in product(sorted(PATIENT_PAGES), ("get", "post")):
        point = transaction.savepoint_create()
        page = ask(name, link_of(alice, PATIENT_PAGES[name].capability.purpose), method)
        seen |= {one for one in ALICES if one in page.content.decode(errors="replace")}
        transaction.savepoint_rollback(point)
    assert {"Alice Canary", "alice@example.com"} <= seen
    assert "alicescanary" not in seen  # stored answers need a code or the birth date too


def test_link_opens_no_page_of_another_purpose(people):
    alice, _ = people
    links = {purpose: link_of(alice, purpose) for purpose in LinkPurpose}
    opened = []
    for name, (purpose, token), method in product(sorted(PATIENT_PAGES), links.items(), ("get", "post")):
        if purpose != PATIENT_PAGES[name].capability.purpose:
            point = transaction.savepoint_create()
            if ask(name, token, method).status_code not in (404, 405):
                opened.append((name, purpose, method))
            transaction.savepoint_rollback(point)
    assert opened == []


@pytest.mark.parametrize("role", ["", *Role.values])
def test_no_page_opens_without_a_link_also_for_staff(people, role):
    client = Client()
    if role:
        client.force_login(UserFactory(roles=[role]))
    opened = [
        (name, method)
        for name, method in product(sorted(PATIENT_PAGES), ("get", "post"))
        if ask(name, "x" * 43, method, client).status_code not in (404, 405)
    ]
    assert opened == []


def test_method_that_no_page_has_changes_nothing(people):
    alice, _ = people
    links = {purpose: link_of(alice, purpose) for purpose in LinkPurpose}
    before, entries = rows_of(alice["patient"]), AccessEvent.objects.count()
    accepted = []
    for name, method in product(sorted(PATIENT_PAGES), ("put", "delete", "patch", "options")):
        page = ask(name, links[PATIENT_PAGES[name].capability.purpose], method)
        if page.status_code != 405:
            accepted.append((name, method, page.status_code))
    assert rows_of(alice["patient"]) == before
    assert AccessEvent.objects.count() == entries
    assert accepted == []
