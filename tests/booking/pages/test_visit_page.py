"""The contents of a visit's pages, which depend on who opens them and when."""

import re
from datetime import timedelta

import pytest
import time_machine

from booking.actions.change import cancel_appointment
from booking.models import Appointment
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


def test_number_of_a_call_is_shown_only_by_a_mailed_link_or_where_it_was_typed(client, call):
    first = book(call, mode="phone", is_known=False)
    shown, mailed = (visit_path(first, proof=proof, now=NOW) for proof in (Proof.SHOWN, Proof.MAILED))
    at_ten = NINE_ON_TUESDAY + timedelta(hours=1)
    later = book(call, starts_at=at_ten, is_known=False, phone="+16035550147", now=NOW + timedelta(minutes=1))
    assert later.patient_id == first.patient_id, "one provisional row, with the number that was typed first"
    assert client.get(shown).context["called_at"] == "(603) 555-0199"
    assert "we will call you." in text_of(client.get(visit_path(later, now=NOW)))
    first.patient = accept_patient(first.patient, now=NOW)
    assert client.get(visit_path(first, now=NOW)).context["called_at"] == ""
    assert client.get(mailed).context["called_at"] == "(603) 555-0199"


def test_number_of_a_call_is_the_one_that_staff_see_when_another_was_given_at_booking(client, call):
    visit = book(call, mode="phone")
    Appointment.objects.filter(pk=visit.pk).update(other_phone="+16035550177")
    visit.refresh_from_db()
    assert visit.number_to_call == "+16035550177" != visit.patient.phone
    assert client.get(visit_path(visit, proof=Proof.MAILED, now=NOW)).context["called_at"] == "(603) 555-0177"


def test_page_of_a_cancelled_or_past_visit_shows_its_time(client, evaluation, clock):
    visit = book(evaluation)
    path = visit_path(visit, now=NOW)
    assert "Book another visit" in text_of(client.get(path))
    with time_machine.travel(NINE_ON_TUESDAY + timedelta(hours=2), tick=False):
        over = client.get(path)
        assert not over.context["is_booked"] and "Tuesday, December 1, 9:00 AM EST" in text_of(over)
    cancel_appointment(appointment=visit, now=NOW)
    cancelled = client.get(path)
    assert cancelled.context["is_cancelled"] and "Tuesday, December 1, 9:00 AM EST" in text_of(cancelled)


@pytest.mark.parametrize(
    "page", ["move/", "move/2026-12-02/", "move/20261202T1400Z/", "cancel/", "coming/", "not-coming/", "earlier/"]
)
def test_pages_about_a_visit_show_the_clinics_name(client, evaluation, page):
    path = visit_path(book(evaluation), now=NOW)
    answer = client.get(path + page)
    assert answer.status_code == 200 and 'class="wordmark"' in answer.text


def test_not_coming_page_has_a_button_and_explains_it_after_the_deadline(client, evaluation):
    path = visit_path(book(evaluation), proof=Proof.MAILED, now=NOW)
    with time_machine.travel(NINE_ON_TUESDAY - timedelta(hours=3), tick=False):
        page = client.get(path + "not-coming/")
    assert not page.context["can_change"] and f'action="{path}not-coming/"' in page.text
    assert "your visit stays booked" in text_of(page) and "(603) 555-0123" in text_of(page)


@pytest.mark.parametrize(
    "page", ["", "move/", "move/2026-12-02/", "cancel/", "coming/", "not-coming/", "earlier/", "address/"]
)
@pytest.mark.parametrize("fate", ["cancelled", "over"])
def test_pages_of_a_cancelled_or_past_visit_mention_no_deadline(client, evaluation, page, fate):
    visit = book(evaluation, is_known=False)
    path, at = visit_path(visit, now=NOW), NINE_ON_TUESDAY - timedelta(hours=2)
    if fate == "cancelled":
        cancel_appointment(appointment=visit, now=NOW)
    else:
        at = NINE_ON_TUESDAY + timedelta(hours=2)
    with time_machine.travel(at, tick=False):
        shown = client.get(path + page)
    assert not shown.context["is_ahead"] and shown.context["is_cancelled"] == (fate == "cancelled")
    assert str(shown.context["changeable_until"]) not in text_of(shown)
    heading = re.search(r"<h1>(.*?)</h1>", shown.text, re.DOTALL)[1]
    assert ("canceled" in heading) == (fate == "cancelled")


def test_person_who_did_not_book_can_tell_the_clinic_when_it_is_too_late_to_cancel(client, evaluation):
    visit = book(evaluation, is_known=False)
    path = visit_path(visit, proof=Proof.MAILED, now=NOW)
    with time_machine.travel(NINE_ON_TUESDAY - timedelta(hours=3), tick=False):
        late = client.get(path + "cancel/")
        assert f'href="{path}not-coming/"' in late.text and "(603) 555-0123" in text_of(late)
        told = client.post(path + "not-coming/", {"version": visit.version})
    assert told.status_code == 200 and told.context["is_unproven"]
    visit.refresh_from_db()
    assert visit.not_coming_at and visit.patient.is_provisional and visit.status == "booked"
