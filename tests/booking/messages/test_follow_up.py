"""Only patients with an earlier visit can book follow-ups, without revealing who is a patient."""

import re
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from booking.actions.attend import mark_no_show
from booking.actions.book import BookingRequest, Contact, book_appointment
from booking.actions.change import cancel_appointment, move_appointment
from booking.actions.take_offer import take_offer
from booking.models import Appointment, Purpose, Service
from booking.schedule.earlier_visits import has_earlier_visit
from booking.schedule.errors import NeedsEarlierVisit
from booking.schedule.off_schedule import SENTENCES, OffScheduleBecause, accept_off_schedule, visits_off_schedule
from booking.schedule.slots import Slot
from clinic.outbox.sending.hand_over import send_due_messages
from tests.booking.holding import TYPED
from tests.booking.today import read_today
from tests.world import NINE_ON_TUESDAY, NOW, book

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
THURSDAY = NINE_ON_TUESDAY + 2 * DAY
PLACE = f"/book/follow-up/meredith/{THURSDAY:%Y%m%dT%H%MZ}/"


@pytest.fixture(autouse=True)
def _monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def follow_up(evaluation, call, meredith):
    Service.objects.filter(pk=evaluation.pk).update(purpose=Purpose.EVALUATION)
    Service.objects.filter(pk=call.pk).update(purpose=Purpose.CALL)
    service = Service.objects.create(
        slug="follow-up",
        name="Follow-up visit",
        summary="For those who have been here.",
        purpose=Purpose.FOLLOW_UP,
        minutes=30,
        price_cents=12000,
        position=2,
    )
    service.therapists.add(meredith)
    return service


def contact_of(patient) -> Contact:
    return Contact(name=patient.name, email=patient.email, phone=patient.phone, patient=patient)


def attempt(follow_up, contact, *, starts_at=THURSDAY, by=None):
    slot = Slot(follow_up, follow_up.therapists.get(), starts_at)
    booking = BookingRequest(slot=slot, mode="in_person", contact=contact, idempotency_key=uuid.uuid4())
    return book_appointment(booking=booking, now=NOW, by=by)


def come_back(client, email, post_office, asked=""):
    client.post(f"/again/{asked}", {"email": email})
    send_due_messages(clock=timezone.now)
    mails = "".join(mail.get_body(("plain",)).get_content() for mail in post_office.mails)  # in no fixed order
    link = re.findall(r"/again/[\w-]{43}/", mails)[-1]
    patient = re.search(r'name="patient" value="([^"]+)"', client.get(link).content.decode())[1]
    return client.post(link + asked, {"patient": patient})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/book/follow-up/"),
        ("get", "/book/follow-up/2026-12-03/"),
        ("get", PLACE),
        ("get", PLACE + "form/"),
        ("get", PLACE + "held/" + "A" * 43 + "/"),
        ("get", "/book/follow-up/wait/"),
        ("post", PLACE),
        ("post", PLACE + "hold/"),
        ("post", PLACE + "form/"),
        ("post", "/book/follow-up/wait/"),
    ],
)
def test_stranger_sees_whom_follow_ups_are_for_and_what_to_do(client, follow_up, method, path):
    page = getattr(client, method)(path, TYPED)
    assert page.status_code == (200 if method == "get" else 409)
    for path_on in (f"{reverse('booking:return')}?for=follow-up", "/book/evaluation/", "/book/call/"):
        assert f'href="{path_on}"' in page.content.decode()
    assert not Appointment.objects.exists()


def test_page_is_the_same_for_a_known_address_and_for_an_unknown_one(client, follow_up, evaluation):
    book(evaluation, starts_at=NINE_ON_TUESDAY)
    answers, queries = [], []
    for email in ("alice@example.com", "nobody@example.com"):
        visitor = Client()
        sent = TYPED | {"email": email, "idempotency_key": str(uuid.UUID(int=7))}
        with CaptureQueriesContext(
            connection,
        ) as asked:
            page = visitor.post(PLACE, sent)
        answers.append(re.sub(r'(csrfmiddlewaretoken" value=")[^"]+', r"\1", page.content.decode()))
        queries.append([re.sub(r"'[^']*'", "?", query["sql"]) for query in asked])
    assert answers[0] == answers[1]
    assert queries[0] == queries[1]
    assert not any("practice_patient" in query for query in queries[0])


def test_patient_who_comes_by_a_link_from_the_mailbox_books_a_follow_up(client, follow_up, evaluation, post_office):
    patient = book(evaluation).patient
    come_back(client, patient.email, post_office)
    assert client.get("/book/follow-up/").context["weeks"]
    form = client.get(client.post(PLACE + "hold/", {"key": str(uuid.uuid4())})["Location"])
    key = re.search(r'idempotency_key" value="([^"]+)"', form.content.decode())[1]
    sent = {"phone": "603 555 0199", "mode": "in_person", "idempotency_key": key}
    assert client.post(form.request["PATH_INFO"], sent).status_code == 303
    assert Appointment.objects.get(service=follow_up).patient == patient


def test_link_requested_on_a_follow_up_page_leads_to_the_follow_up(client, follow_up, evaluation, post_office):
    patient = book(evaluation).patient
    ask_at = re.search(r'href="(/again/[^"]*)"', client.get("/book/follow-up/").text)[1]
    client.post(ask_at, {"email": patient.email})
    send_due_messages(clock=timezone.now)
    texts = [mail.get_body(("plain",)).get_content() for mail in post_office.mails]
    [mail] = [text for text in texts if "/again/" in text]  # the other one confirms the visit
    assert "follow-up" not in mail.lower()
    link = re.search(r"/again/[\w-]{43}/\S*", mail)[0]
    page = client.get(link).text
    action = re.search(r'action="(/again/[^"]+)"', page)[1]
    answer = client.post(action, {"patient": re.search(r'name="patient" value="([^"]+)"', page)[1]})
    assert answer["Location"] == "/book/follow-up/"
    assert client.get(answer["Location"]).context["weeks"]


@pytest.mark.parametrize("asked", ["", "?for=hidden", "?for=unknown", "?for=%00", "?for=//evil.example"])
def test_link_leads_to_the_services_when_no_service_was_requested(client, follow_up, evaluation, post_office, asked):
    Service.objects.create(slug="hidden", name="Hidden", minutes=30, price_cents=0, listing=Service.Listing.HIDDEN)
    patient = book(evaluation).patient
    assert come_back(client, patient.email, post_office, asked=asked)["Location"] == "/book/"


def test_known_person_who_has_only_called_is_led_to_a_first_visit(client, follow_up, call, post_office):
    patient = book(call).patient
    come_back(client, patient.email, post_office)
    page = client.get("/book/follow-up/")
    assert page.context["is_recognized"]
    assert "?for=follow-up" not in page.content.decode()
    with pytest.raises(NeedsEarlierVisit):
        attempt(follow_up, contact_of(patient))


def test_follow_up_is_refused_when_only_name_and_address_match_a_patient(follow_up, evaluation):
    patient = book(evaluation).patient
    typed = Contact(name=patient.name, email=patient.email, phone=patient.phone)
    with pytest.raises(NeedsEarlierVisit):
        attempt(follow_up, typed)
    assert attempt(follow_up, contact_of(patient)).status == "booked"


def test_visit_after_the_follow_up_or_that_was_cancelled_or_missed_does_not_count(follow_up, evaluation, front_desk):
    visit = book(evaluation, starts_at=THURSDAY + HOUR)
    patient = visit.patient
    assert has_earlier_visit(patient) and not has_earlier_visit(patient, before=THURSDAY)
    with pytest.raises(NeedsEarlierVisit):
        attempt(follow_up, contact_of(patient))
    cancel_appointment(appointment=visit, now=NOW)
    assert not has_earlier_visit(patient)
    missed = book(evaluation, starts_at=NINE_ON_TUESDAY)
    assert has_earlier_visit(patient)
    mark_no_show(appointment=missed, by=front_desk, now=missed.starts_at)
    assert not has_earlier_visit(patient)


@pytest.mark.parametrize("end", ["cancelled", "missed", "moved behind it"])
def test_follow_up_without_its_earlier_visit_is_listed_until_staff_accept_it(follow_up, evaluation, front_desk, end):
    first = book(evaluation)
    second = attempt(follow_up, contact_of(first.patient))
    assert visits_off_schedule(now=NOW) == []
    now = NOW
    if end == "cancelled":
        cancel_appointment(appointment=first, now=NOW)
    elif end == "missed":
        now = first.starts_at
        mark_no_show(appointment=first, by=front_desk, now=now)
    else:
        move_appointment(appointment=first, starts_at=THURSDAY + HOUR, now=NOW)
    [row] = read_today(now=now).off_schedule
    assert row.appointment == second and SENTENCES[OffScheduleBecause.ALONE] in [chip.text for chip in row.chips]
    accept_off_schedule(appointment=second, by=front_desk, now=now)
    assert visits_off_schedule(now=now) == []


def test_follow_up_of_a_patient_with_another_earlier_visit_or_of_a_newcomer_is_not_listed(
    follow_up, evaluation, front_desk
):
    first, other = book(evaluation), book(evaluation, starts_at=NINE_ON_TUESDAY + HOUR)
    attempt(follow_up, contact_of(first.patient))
    cancel_appointment(appointment=first, now=NOW)
    assert visits_off_schedule(now=NOW) == []
    cancel_appointment(appointment=other, now=NOW)
    assert len(visits_off_schedule(now=NOW)) == 1
    attempt_by_staff(follow_up, front_desk, starts_at=THURSDAY + HOUR)
    assert len(visits_off_schedule(now=NOW)) == 1


def test_staff_book_a_follow_up_for_anyone(follow_up, front_desk):
    visit = attempt_by_staff(follow_up, front_desk)
    assert visit.status == "booked"


def attempt_by_staff(follow_up, front_desk, starts_at=THURSDAY):
    new = Contact(name="Nora New", email="nora@example.com", phone="+16035550111")
    return attempt(follow_up, new, starts_at=starts_at, by=front_desk)


def test_follow_up_offer_is_refused_without_an_earlier_visit(follow_up, front_desk):
    from tests.booking.waiting import FREED_AT, wait

    visit = attempt_by_staff(follow_up, front_desk)
    entry = wait(follow_up)
    cancel_appointment(appointment=visit, by=front_desk, now=NOW)
    with pytest.raises(NeedsEarlierVisit):
        take_offer(offer=entry.offers.get(), now=NOW + FREED_AT)
    assert not Appointment.objects.filter(status="booked").exists()


def test_newcomers_are_not_sent_to_follow_ups(client, follow_up):
    assert "/book/follow-up/" not in client.get("/sitemap.xml").content.decode()
