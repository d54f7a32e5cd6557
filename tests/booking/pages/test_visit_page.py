"""What the page of a visit says, and to whom."""

from datetime import timedelta

import pytest
import time_machine

from booking.actions.change import cancel_appointment
from booking.schedule.visit_links import visit_path
from clinic.practice.models import Proof
from clinic.practice.people.patients import accept_patient
from tests.pages import text_of
from tests.world import NINE_ON_TUESDAY, NOW, book

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def test_number_of_a_call_is_on_the_page_only_where_it_was_typed_or_mailed(client, call):
    first = book(call, mode="phone", is_known=False)
    shown, mailed = (visit_path(first, proof=proof, now=NOW) for proof in (Proof.SHOWN, Proof.MAILED))
    at_ten = NINE_ON_TUESDAY + timedelta(hours=1)
    later = book(call, starts_at=at_ten, is_known=False, phone="+16035550147", now=NOW + timedelta(minutes=1))
    assert later.patient_id == first.patient_id, "one provisional row, with the number that was typed first"
    assert "we will call (603) 555-0199. Wrong number? Call (603) 555-0123" in text_of(client.get(shown))
    assert "we will call you." in text_of(client.get(visit_path(later, now=NOW)))
    first.patient = accept_patient(first.patient, now=NOW)
    assert "we will call you." in text_of(client.get(visit_path(first, now=NOW)))
    assert "we will call (603) 555-0199" in text_of(client.get(mailed))


def test_page_of_a_cancelled_visit_and_of_one_that_is_over_name_the_hour(client, evaluation, clock):
    visit = book(evaluation)
    path = visit_path(visit, now=NOW)
    assert "Book another visit" in text_of(client.get(path))
    with time_machine.travel(NINE_ON_TUESDAY + timedelta(hours=2), tick=False):
        assert "This visit is over It was on Tuesday, December 1, 9:00 AM EST." in text_of(client.get(path))
    cancel_appointment(appointment=visit, now=NOW)
    assert "It was planned for Tuesday, December 1, 9:00 AM EST." in text_of(client.get(path))


@pytest.mark.parametrize(
    "page", ["move/", "move/2026-12-02/", "move/20261202T1400Z/", "cancel/", "coming/", "not-coming/", "earlier/"]
)
def test_pages_about_a_visit_bear_the_clinics_name(client, evaluation, page):
    path = visit_path(book(evaluation), now=NOW)
    answer = client.get(path + page)
    assert answer.status_code == 200 and 'class="wordmark"' in answer.text


def test_page_for_who_cannot_come_offers_the_button_and_says_what_it_does(client, evaluation):
    path = visit_path(book(evaluation), proof=Proof.MAILED, now=NOW)
    with time_machine.travel(NINE_ON_TUESDAY - timedelta(hours=3), tick=False):
        page = text_of(client.get(path + "not-coming/"))
    assert "Tell the clinic here with one press." in page
    assert "the visit still stands until you have spoken with us: (603) 555-0123" in page
    assert "Tell the clinic I can’t come" in page and "Online changes closed" not in page
