"""Booking for a patient under 18: a parent or guardian books, is named to staff, and is asked to come along."""

import re
import uuid

import pytest
import time_machine
from django.utils import timezone

from booking.models import MODES, Appointment
from booking.schedule.local_time import format_minor_note
from booking.schedule.visit_links import visit_path
from clinic.outbox.sending.hand_over import send_due_messages
from clinic.practice.models import Patient, User
from tests.booking.holding import NINE, TYPED
from tests.pages import text_of
from tests.world import NINE_ON_TUESDAY, NOW, book

pytestmark = pytest.mark.django_db

CHILD = TYPED | {"name": "Mia Runner", "is_for_minor": "on", "guardian_name": "Petra  Runner"}


@pytest.fixture
def send(client, evaluation):
    def send(typed):
        with time_machine.travel(NOW, tick=False):
            return client.post(NINE, typed | {"idempotency_key": str(uuid.uuid4())})

    return send


def test_guardian_is_stored_with_the_visit_and_the_child_is_the_patient(send):
    assert send(CHILD).status_code == 303
    assert (Appointment.objects.get().guardian_name, Patient.objects.get().name) == ("Petra Runner", "Mia Runner")


@pytest.mark.parametrize(
    "typed",
    [{"guardian_name": "  "}, {"is_for_minor": ""}],
)
def test_booking_for_a_minor_is_refused_without_the_guardians_name(send, typed):
    page = send(CHILD | typed)
    assert page.status_code == 422 and page.context["form"].errors.keys() == {"guardian_name"}
    assert 'value="Mia Runner"' in page.content.decode()
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("guardian", ["Mia Runner", " mia  RUNNER", "Runner, Mia", "Mía Rünner"])
def test_nothing_is_booked_and_the_form_asks_when_child_and_guardian_have_one_name(send, guardian):
    page = send(CHILD | {"guardian_name": guardian})
    assert page.status_code == 422
    assert page.context["form"].errors.keys() == {"guardian_name"}
    assert not Appointment.objects.exists()


def test_parent_and_child_of_one_name_book_with_a_suffix(send):
    assert send(CHILD | {"guardian_name": "Mia Runner Sr."}).status_code == 303


def test_form_asks_for_the_patients_name_whoever_books(client, evaluation):
    with time_machine.travel(NOW, tick=False):
        page = text_of(client.get(NINE + "form/"))
    assert "Patient’s name" in page
    assert page.index("Patient’s name") < page.index("Your name, as")


def test_adult_books_when_both_guardian_fields_are_empty(send):
    assert send(TYPED).status_code == 303
    assert Appointment.objects.get().guardian_name == ""


def test_time_that_was_taken_keeps_the_guardian_in_the_form(send, client, evaluation):
    book(evaluation, name="Bob Faster")
    gone = send(CHILD)
    assert gone.status_code == 409
    fields = dict(re.findall(r'name="(is_for_minor|guardian_name|name|email|phone|mode)" value="([^"]*)"', gone.text))
    with time_machine.travel(NOW, tick=False):
        sent = fields | {"idempotency_key": str(uuid.uuid4())}
        assert client.post(NINE.replace("T1400Z", "T1500Z"), sent).status_code == 303
    assert Appointment.objects.exclude(patient__name="Bob Faster").get().guardian_name == "Petra Runner"


def test_pages_and_mail_say_what_a_minor_needs(client, evaluation, post_office):
    asked = (
        "Is the patient under 18? A parent or guardian must book the visit and come along and sign the consent form."
    )
    booked = "You booked as the parent or guardian of someone under 18: please come along and sign the consent form."
    with time_machine.travel(NOW, tick=False):
        assert asked in text_of(client.get("/book/evaluation/"))
        assert asked in text_of(client.get(NINE + "form/"))
        adults = book(evaluation)
        minors = book(evaluation, name="Mia", starts_at=NINE_ON_TUESDAY.replace(hour=16), guardian_name="Petra Runner")
        assert "under 18" not in text_of(client.get(visit_path(adults, now=NOW))), "the form has asked"
        assert booked in text_of(client.get(visit_path(minors, now=NOW)))
        send_due_messages(clock=timezone.now)
    mails = {mail["To"]: " ".join(mail.get_body(("plain",)).get_content().split()) for mail in post_office.mails}
    assert "under 18" not in mails["alice@example.com"] and booked in mails["mia@example.com"]
    assert not any("Petra" in text for text in mails.values())


def test_minor_on_the_phone_needs_no_one_to_come_along():
    assert "come along" not in format_minor_note([MODES["phone"]])


def test_staff_see_the_guardian_on_today_in_the_list_and_on_the_visit(client, evaluation):
    visit = book(evaluation, name="Mia", guardian_name="Petra Runner")
    book(evaluation, starts_at=NINE_ON_TUESDAY.replace(hour=16))
    client.force_login(User.objects.create_superuser("olga@clinic.example", name="Olga"))
    with time_machine.travel(NINE_ON_TUESDAY, tick=False):
        client.force_login(User.objects.get())
        for path in ("/admin/", "/admin/booking/appointment/"):
            assert text_of(client.get(path)).count("under 18: with Petra Runner") == 1
        assert "Petra Runner" in text_of(client.get(f"/admin/booking/appointment/{visit.pk}/change/"))


def test_staff_who_book_for_a_minor_name_the_guardian(client, evaluation, meredith):
    client.force_login(User.objects.create_superuser("olga@clinic.example", name="Olga"))
    form = {"service": evaluation.pk, "therapist": meredith.pk, "starts_at": "2026-12-01T09:00", "mode": "in_person"}
    child = {
        "name": "Mia Runner",
        "email": "petra@example.com",
        "phone": "603 555 0199",
        "guardian_name": "Petra Runner",
    }
    with time_machine.travel(NOW, tick=False):
        client.force_login(User.objects.get())
        sent = client.post("/admin/booking/appointment/add/", form | child | {"idempotency_key": str(uuid.uuid4())})
    assert sent.status_code == 303
    visit = Appointment.objects.get()
    assert (visit.guardian_name, visit.mode) == ("Petra Runner", "in_person")
