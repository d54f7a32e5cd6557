"""Every page behind a patient's link has a capability, and refuses a link whose proof is too weak for it."""

from datetime import timedelta
from itertools import product

import pytest
import time_machine
from django.core.management import call_command
from django.db import transaction

from booking.wait_list.entries import Wishes, join_wait_list
from clinic.practice.access.confirmation import CODE_LASTS, CONFIRMED_FOR, MOST_TRIES, digits_of, is_confirmed, try_code
from clinic.practice.access.confirmation import confirm as confirm_in
from clinic.practice.access.links import issue_link
from clinic.practice.access.proof import Capability
from clinic.practice.models import ConfirmationCode, LinkPurpose, PatientLink, Proof
from tests.clinic.link_pages import PATIENT_PAGES, open_page
from tests.factories import PatientFactory
from tests.world import NINE_ON_TUESDAY, NOON, NOW, book

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", sorted(PATIENT_PAGES))
def test_page_behind_a_patients_link_is_in_the_table(name):
    assert isinstance(getattr(PATIENT_PAGES[name], "capability", None), Capability)


def test_every_capability_in_the_table_is_used():
    used = {view.capability for view in PATIENT_PAGES.values()}
    asked_inside_a_page = {Capability.SEE_ANSWERS, Capability.SEE_WAIT_LIST_PLACE}
    assert used | asked_inside_a_page == set(Capability)


def test_patients_data_requires_more_than_a_link_that_was_only_shown():
    for capability in Capability:
        is_of_one_visit = capability.purpose in (LinkPurpose.VISIT, LinkPurpose.INTAKE)
        assert capability.proof > Proof.SHOWN or is_of_one_visit


@pytest.fixture
def visit(evaluation):
    call_command("load_definitions", verbosity=0)
    evaluation.intake_slug = "hip-running-intake"
    evaluation.save()
    with time_machine.travel(NOW, tick=False):
        visit = book(evaluation)
        wishes = Wishes(NOW.date(), NINE_ON_TUESDAY.date())
        join_wait_list(
            patient=visit.patient, service=evaluation, mode="in_person", wishes=wishes, appointment=visit, now=NOW
        )
        yield visit


@pytest.mark.parametrize("proof", [Proof.SHOWN, Proof.MAILED])
def test_page_refuses_a_link_when_its_proof_is_too_weak(proof, visit):
    for name, method in product(sorted(PATIENT_PAGES), ("get", "post")):
        before = transaction.savepoint_create()  # not atomic(): rate limits refuse to be spent in a block
        answer = open_page(name, visit, proof, method)
        transaction.savepoint_rollback(before)
        is_refused = answer.status_code == 403 and "open this from our email" in answer.content.decode()
        if answer.status_code != 405:  # 405: a form's URL opened by GET, or a page sent by POST
            assert is_refused == (proof < PATIENT_PAGES[name].capability.proof), (name, method)
            assert answer.status_code < 500 and (method == "post" or answer.status_code != 404), (name, method)


def test_link_is_refused_without_a_valid_proof():
    patient = PatientFactory()
    with pytest.raises(ValueError):
        issue_link(
            patient=patient, purpose="visit", subject_id=patient.pk, proof=7, expires_at=NOON, now=NOON - timedelta(1)
        )


# The emailed code


@pytest.fixture
def code():
    return ConfirmationCode.objects.create(patient=PatientFactory(), created_at=NOON)


def test_code_confirms_once_when_typed_as_emailed(code):
    typed = f" {digits_of(code)[:3]} {digits_of(code)[3:]} "
    assert try_code(patient=code.patient, typed=typed, now=NOON)
    assert not try_code(patient=code.patient, typed=typed, now=NOON)


def test_code_fails_when_it_is_expired_replaced_or_another_patients(code):
    digits = digits_of(code)
    assert not try_code(patient=PatientFactory(), typed=digits, now=NOON)
    assert not try_code(patient=code.patient, typed=digits, now=NOON + CODE_LASTS)
    ConfirmationCode.objects.create(patient=code.patient, created_at=NOON + timedelta(seconds=1))
    assert not try_code(patient=code.patient, typed=digits, now=NOON + timedelta(seconds=2))


def test_right_code_fails_after_five_wrong_attempts(code):
    wrong = f"{(int(digits_of(code)) + 1) % 1_000_000:06}"
    for _ in range(MOST_TRIES):
        assert not try_code(patient=code.patient, typed=wrong, now=NOON)
    assert not try_code(patient=code.patient, typed=digits_of(code), now=NOON)


def test_code_is_not_stored_and_is_the_same_in_every_copy(code):
    assert digits_of(code) == digits_of(ConfirmationCode.objects.get())
    assert digits_of(code) not in str(ConfirmationCode.objects.values().get())


def test_confirmation_expires_after_half_an_hour_and_is_for_one_patient():
    session, alice, bob = {}, PatientFactory(), PatientFactory()
    confirm_in(session, patient=alice, now=NOON)
    assert is_confirmed(session, patient=alice, now=NOON + CONFIRMED_FOR - timedelta(seconds=1))
    assert not is_confirmed(session, patient=alice, now=NOON + CONFIRMED_FOR)
    assert not is_confirmed(session, patient=bob, now=NOON)


def test_links_of_a_visit_are_distinguished_by_how_they_were_delivered(evaluation):
    from booking.schedule.visit_links import visit_path, visit_url

    visit = book(evaluation)
    visit_path(visit, now=NOW)
    visit_url(visit, now=NOW)
    assert [link.proof for link in PatientLink.objects.order_by("proof")] == [Proof.SHOWN, Proof.MAILED]
