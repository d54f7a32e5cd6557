"""A returning patient is recognized by a link from their own mailbox. The pages do not reveal who is a patient."""

import re
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from booking.actions.return_links import LINK_LASTS
from booking.models import Appointment, ReturnRequest
from booking.schedule.visit_links import visit_path
from clinic.outbox.models import Message, Suppression
from clinic.outbox.sending.hand_over import send_due_messages
from clinic.practice.access.rate_limits import NETWORK_RETURN_LINKS
from clinic.practice.models import PatientLink, Proof
from clinic.practice.people.patients import accept_patient
from tests.world import NINE_ON_TUESDAY, NOW, book

HOUR = timedelta(hours=1)
ELEVEN = NINE_ON_TUESDAY + timedelta(hours=2)
TYPED = {"name": "Alice Runner", "email": "alice@example.com", "phone": "603 555 0000", "mode": "in_person"}


@pytest.fixture(autouse=True)
def _monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def alices_visit(evaluation):
    visit = book(evaluation)
    Message.objects.all().delete()
    return visit


def ask(client, email, **how):
    return client.post("/again/", {"email": email}, **how)


def sent_link(post_office) -> str:
    send_due_messages(clock=timezone.now)
    return re.search(r"/again/[\w-]{43}/", post_office.mails[-1].get_body(("plain",)).get_content())[0]


def form_of(client, starts_at=ELEVEN):
    """Hold a time and return the page with its form."""
    path = f"/book/evaluation/meredith/{starts_at:%Y%m%dT%H%MZ}/hold/"
    return client.get(client.post(path, {"key": str(uuid.uuid4())})["Location"])


def test_link_from_the_mailbox_fills_the_form_and_books_for_the_same_patient(client, alices_visit, post_office):
    held = form_of(client)
    assert 'name="name"' in held.content.decode()
    assert ask(client, "ALICE@example.com ").status_code == 303
    link = sent_link(post_office)
    assert "Book for Alice Runner" in client.get(link).content.decode()
    on = client.post(link, {"patient": str(alices_visit.patient_id)})
    assert on["Location"] == held.request["PATH_INFO"], "back to the time that was kept"
    page = client.get(on["Location"]).content.decode()
    assert 'name="name"' not in page and "Alice Runner" in page and "(603) 555-0199" in page
    key = re.search(r'name="idempotency_key" value="([^"]+)"', page)[1]
    booked = client.post(on["Location"], {"phone": "603 555 0177", "mode": "in_person", "idempotency_key": key})
    assert booked.status_code == 303
    visit = Appointment.objects.get(starts_at=ELEVEN)
    assert visit.patient_id == alices_visit.patient_id
    assert (visit.patient.phone, visit.other_phone) == ("+16035550177", "")


def test_answer_is_the_same_in_bytes_and_queries_whether_the_address_is_known(alices_visit):
    pages, statements = [], []
    for email in ("alice@example.com", "nobody@example.com"):
        browser = Client()
        with CaptureQueriesContext(connection) as queries:
            answer = ask(browser, email)
        statements.append([re.sub(r"'[^']*'|\"s\d+_x\d+\"", "?", query["sql"]) for query in queries])
        pages.append((answer.status_code, dict(answer.headers), browser.get(answer["Location"]).content))
        assert not answer.cookies
    assert pages[0] == pages[1]
    assert statements[0] == statements[1]


def test_unknown_address_gets_no_email_and_the_reason_is_recorded(client, alices_visit, post_office):
    ask(client, "nobody@example.com")
    send_due_messages(clock=timezone.now)
    assert post_office.mails == []
    message = Message.objects.get()
    assert message.state == "skipped" and message.reason
    assert message.patient is None and PatientLink.objects.filter(purpose="return").count() == 0


def test_email_is_sent_to_the_address_on_file_unless_it_bounced(client, alices_visit, post_office):
    Suppression.objects.create(channel="email", address="alice@example.com", why="bounced", created_at=NOW)
    ask(client, "alice@example.com")
    send_due_messages(clock=timezone.now)
    assert post_office.mails == []


def test_second_request_within_five_minutes_sends_no_second_mail(client, alices_visit):
    ask(client, "alice@example.com")
    ask(client, "Alice@Example.com")
    assert Message.objects.count() == 1
    with time_machine.travel(NOW + timedelta(minutes=6), tick=False):
        ask(client, "alice@example.com")
    assert Message.objects.count() == 2


def test_address_gets_few_links_a_day_and_the_page_does_not_reveal_the_limit(client, alices_visit):
    answers = set()
    for number in range(36):  # regression: an address once got thirty links in three hours
        with time_machine.travel(NOW + number * HOUR / 12, tick=False):
            answer = ask(Client(), "alice@example.com", REMOTE_ADDR=f"198.51.{number}.1")
            answers.add((answer.status_code, client.get(answer["Location"]).content))
    assert Message.objects.filter(kind="return_link").count() == 4
    assert len(answers) == 1


def test_requests_of_one_network_slow_down_and_those_of_another_do_not(client, evaluation):
    for number in range(NETWORK_RETURN_LINKS.at_once):
        assert ask(client, f"r{number}@example.com").status_code == 303
    refused = ask(client, "alice@example.com")
    assert refused.status_code == 429 and refused.context["again_at"]
    assert refused["Retry-After"] == str(int(NETWORK_RETURN_LINKS.every.total_seconds()))
    assert ask(client, "alice@example.com", REMOTE_ADDR="198.51.100.1").status_code == 303


@pytest.mark.parametrize("typed", ["", "not an address", "a" * 300 + "@example.com"])
def test_form_is_shown_again_when_the_address_is_invalid(client, clinic, typed):
    assert ask(client, typed).status_code == 422
    assert not ReturnRequest.objects.exists()


def test_only_patients_of_the_mailbox_can_be_chosen(client, alices_visit, evaluation, post_office):
    bob = book(evaluation, starts_at=ELEVEN, name="Bob Runner", email="alice@example.com").patient
    mallory = book(evaluation, starts_at=ELEVEN + 3 * HOUR, name="Mallory").patient
    Message.objects.all().delete()
    ask(client, "alice@example.com")
    link = sent_link(post_office)
    page = client.get(link).content.decode()
    assert "Book for Alice Runner" in page and "Book for Bob Runner" in page and "Mallory" not in page
    assert client.post(link, {"patient": str(mallory.pk)}).status_code == 404
    assert "returning" not in client.cookies
    client.post(link, {"patient": str(bob.pk)})
    assert "<strong>Bob Runner</strong>" in form_of(client, ELEVEN + 2 * HOUR).content.decode()


def test_opening_the_link_sets_no_cookie_and_the_link_expires(client, alices_visit, post_office):
    ask(client, "alice@example.com")
    link = sent_link(post_office)
    answer = client.get(link)
    assert "returning" not in answer.cookies and answer["X-Robots-Tag"] == "noindex, nofollow"
    with time_machine.travel(NOW + LINK_LASTS, tick=False):
        assert client.get(link).status_code == 410
    assert client.get("/again/" + "x" * 43 + "/").status_code == 404


def test_return_link_works_once_and_what_it_opened_stays_open(client, alices_visit, evaluation, post_office):
    ask(client, "alice@example.com")
    link, choice = sent_link(post_office), {"patient": str(alices_visit.patient_id)}
    with time_machine.travel(NOW + timedelta(seconds=1), tick=False):
        assert [client.get(link).status_code for _ in range(3)] == [200] * 3, "a mail scanner opens it"
        assert client.post(link, choice).status_code == 303
    with time_machine.travel(NOW + timedelta(seconds=2), tick=False):
        assert Client().get(link).status_code == Client().post(link, choice).status_code == 410
        assert "<strong>Alice Runner</strong>" in form_of(client, ELEVEN + 2 * HOUR).content.decode()


def test_page_of_a_visit_leads_to_booking_another_for_the_same_patient(client, alices_visit):
    path = visit_path(alices_visit, proof=Proof.MAILED, now=NOW)
    assert client.get(path + "again/").status_code == 405
    assert client.post(path + "again/")["Location"] == "/book/"
    page = form_of(client).content.decode()
    assert "This visit is for <strong>Alice Runner</strong>" in page


def test_plain_form_comes_back_after_not_me(client, alices_visit):
    client.post(visit_path(alices_visit, proof=Proof.MAILED, now=NOW) + "again/")
    client.post("/again/not-me/")
    assert 'name="name"' in form_of(client).content.decode()


def test_garbled_cookie_is_ignored(client, alices_visit):
    client.cookies["returning"] = str(alices_visit.patient_id)
    assert 'name="name"' in form_of(client).content.decode()


def test_stranger_who_knows_a_name_and_an_address_changes_no_number(client, alices_visit, front_desk):
    path = f"/book/evaluation/meredith/{ELEVEN:%Y%m%dT%H%MZ}/"
    client.post(path, TYPED | {"idempotency_key": str(uuid.uuid4())})
    visit = Appointment.objects.select_related("patient").get(starts_at=ELEVEN)
    assert visit.patient_id != alices_visit.patient_id and visit.patient.is_provisional
    assert accept_patient(visit.patient, now=NOW) == alices_visit.patient
    visit.refresh_from_db()
    assert visit.patient.phone == "+16035550199"
    assert visit.other_phone == "+16035550000"
    front_desk.is_superuser = True
    front_desk.save()
    client.force_login(front_desk)
    page = client.get(f"/admin/booking/appointment/{visit.pk}/change/").content.decode()
    assert "(603) 555-0199</a><br>" in page and "(603) 555-0000</a> was given with this booking" in page


def test_recognized_patient_whose_time_was_taken_is_offered_others(client, alices_visit, post_office):
    ask(client, "alice@example.com")
    client.post(sent_link(post_office), {"patient": str(alices_visit.patient_id)})
    book(alices_visit.service, starts_at=ELEVEN, name="Bob")
    typed = {"phone": "603 555 0000", "mode": "in_person", "idempotency_key": str(uuid.uuid4())}
    response = client.post(f"/book/evaluation/meredith/{ELEVEN:%Y%m%dT%H%MZ}/", typed)
    assert response.status_code == 409
    page = response.content.decode()
    assert response.context["reason"] is None and response.context["others"]
    assert "<dd>Alice Runner</dd>" in page
    assert "<dd>alice@example.com</dd>" in page
