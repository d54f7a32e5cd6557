"""The change deadline that patients see is the one that the rules enforce. After it, they can notify the clinic."""

import re
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from booking.actions.attend import confirm_appointment
from booking.actions.change import cancel_appointment, is_changeable, move_appointment
from booking.actions.report_absence import note_not_coming
from booking.models import Appointment, Service
from booking.schedule.clocks import clock_of_visit
from booking.schedule.errors import TooLateToChange
from booking.schedule.rules import GRACE, change_deadline
from booking.schedule.visit_links import visit_path
from booking.wait_list.offer_text import format_others
from clinic.outbox.messages.kinds import find_kind
from clinic.outbox.models import Message
from clinic.outbox.sending.hand_over import send_due_messages
from clinic.practice.models import Clinic
from tests.booking.messages.rendering import message_of
from tests.booking.today import read_today
from tests.booking.visitors import press
from tests.booking.waiting import FREED_AT, wait
from tests.pages import text_of
from tests.world import NINE_ON_TUESDAY, NOW, book

pytestmark = pytest.mark.django_db

TWO_HOURS_BEFORE = NINE_ON_TUESDAY - timedelta(hours=2)
FEE = {"late_fee_cents": 4000, "is_first_late_free": True, "late_fee_note": "We waive it in snow."}
FEE_WORDS = "A late change or a missed visit costs $40. The first time is free. We waive it in snow."


@given(
    notice=st.timedeltas(timedelta(), timedelta(days=3)),
    hours=st.integers(0, 72),
)
def test_deadline_is_the_window_or_the_grace_and_never_past_the_start(notice, hours):
    starts_at, clinic = NINE_ON_TUESDAY, Clinic(change_window_hours=hours)
    booked_at = starts_at - notice
    deadline = change_deadline(starts_at=starts_at, booked_at=booked_at, clinic=clinic)
    assert deadline <= starts_at
    assert deadline >= min(booked_at + GRACE, starts_at)
    assert deadline >= starts_at - timedelta(hours=hours)
    assert deadline in (starts_at, booked_at + GRACE, starts_at - timedelta(hours=hours))


def test_visit_booked_within_the_window_can_be_cancelled_for_half_an_hour_and_no_longer(evaluation, clinic):
    Clinic.objects.update(minimum_notice_minutes=0)
    visit = book(evaluation, now=TWO_HOURS_BEFORE)
    with pytest.raises(TooLateToChange):
        cancel_appointment(appointment=visit, now=TWO_HOURS_BEFORE + GRACE)
    last = TWO_HOURS_BEFORE + GRACE - timedelta(seconds=1)
    assert cancel_appointment(appointment=visit, now=last).status == "cancelled"


def test_form_shows_the_deadline_that_applies_to_its_time(client, evaluation, clinic):
    Clinic.objects.update(minimum_notice_minutes=0)
    Service.objects.update(**FEE)
    path = f"/book/evaluation/meredith/{NINE_ON_TUESDAY:%Y%m%dT%H%MZ}/hold/"
    for now, promised in (
        (NOW, "You can move or cancel online until Monday, November 30, 9:00 AM EST."),
        (TWO_HOURS_BEFORE, "This visit is soon: you can move or cancel it online for 30 minutes after you book."),
    ):
        with time_machine.travel(now, tick=False):
            form = client.get(client.post(path, {"key": str(uuid.uuid4())})["Location"])
            assert promised in text_of(form) and FEE_WORDS in text_of(form)
            booked = client.post(
                form.request["PATH_INFO"],
                {
                    "name": f"Alice {now:%d}",
                    "email": "alice@example.com",
                    "phone": "603 555 0199",
                    "mode": "in_person",
                    "idempotency_key": re.search(r'name="idempotency_key" value="([^"]+)"', form.content.decode())[1],
                },
            )
            page = client.get(booked["Location"])
            assert page.context["can_change"] and FEE_WORDS in text_of(page)
            assert press(client, booked["Location"] + "cancel/").status_code == 303
    assert set(Appointment.objects.values_list("status", flat=True)) == {"cancelled"}


def test_confirmation_email_shows_the_deadline_and_the_late_fee(evaluation, post_office):
    Service.objects.update(**FEE)
    book(Service.objects.get())
    with time_machine.travel(NOW, tick=False):
        send_due_messages(clock=timezone.now)
    text = " ".join(post_office.mails[0].get_body(("plain",)).get_content().split())
    assert f"Monday, November 30, 9:00 AM EST. {FEE_WORDS}" in text


@pytest.mark.parametrize(("sent_after", "can_change"), [(timedelta(), True), (GRACE, False)])
def test_confirmation_of_a_late_booking_offers_only_allowed_changes(clinic, evaluation, sent_after, can_change):
    Clinic.objects.update(minimum_notice_minutes=0)
    visit = book(evaluation, now=TWO_HOURS_BEFORE, is_known=False)
    at, clinic = TWO_HOURS_BEFORE + sent_after, Clinic.objects.current()
    mail = (
        find_kind("booking_booked")
        .render(message_of(visit, "booking_booked"), find_kind("booking_booked").template, at)
        .text
    )
    assert ("/cancel/" in mail) == can_change == is_changeable(visit, clinic=clinic, now=at)
    assert ("/not-coming/" in mail) == (not can_change)
    assert (str(clock_of_visit(visit, clinic=clinic).time(visit.created_at + GRACE)) in mail) == can_change
    assert (mail.count("call (603) 555-0123") > 1) == (not can_change)


def test_service_without_a_late_fee_mentions_none():
    assert Service(late_fee_cents=0, late_fee_note="Never shown.").late_fee_text == ""
    assert Service(late_fee_cents=2550, is_first_late_free=False).late_fee_text.endswith("costs $25.50.")


# "I can't make it"


@pytest.fixture
def visit(evaluation):
    return book(evaluation)


def ask(visit, answer="not-coming/", now=NOW, method="get"):
    path = visit_path(visit, now=NOW) + answer
    with time_machine.travel(now, tick=False):
        return press(Client(), path) if method == "post" else Client().get(path)


def test_not_coming_page_changes_nothing_until_its_cancel_button_is_pressed(visit):
    page = ask(visit)
    assert "Thank" not in text_of(page) and "Nothing has changed yet" in text_of(page)
    assert re.search(r'<form[^>]*method="post"[^>]*action="[^"]*/cancel/"', page.content.decode())
    assert ask(visit, "cancel/", method="post").status_code == 303
    visit.refresh_from_db()
    assert visit.status == "cancelled"


def test_late_page_shows_the_fee_and_its_button_notifies_the_clinic(visit, post_office, front_desk):
    Appointment.objects.update(**FEE)  # the visit's own fee, whatever the service costs today
    page = ask(visit, now=TWO_HOURS_BEFORE)
    assert FEE_WORDS in text_of(page) and not page.context["can_change"]
    visit.refresh_from_db()
    assert visit.not_coming_at is None, "opening the page tells the clinic nothing"

    told = ask(visit, now=TWO_HOURS_BEFORE, method="post")
    assert "your visit stays booked" in text_of(told)
    ask(visit, now=TWO_HOURS_BEFORE + timedelta(minutes=1), method="post")
    visit.refresh_from_db()
    assert (visit.status, visit.not_coming_at) == ("booked", TWO_HOURS_BEFORE)

    with time_machine.travel(TWO_HOURS_BEFORE, tick=False):
        send_due_messages(clock=timezone.now)
    alerts = [mail for mail in post_office.mails if mail["Subject"].startswith("Please call:")]
    assert [mail["To"] for mail in alerts] == ["hello@clinic.example"]
    body = alerts[0].get_body(("plain",)).get_content()
    assert "Alice" not in body and reverse("admin:booking_appointment_change", args=[visit.pk]) in body
    assert [one.pk for one in read_today(now=TWO_HOURS_BEFORE).cannot_come] == [visit.pk]
    assert Message.objects.get(kind="booking_reminder_2h").state != "sent"


def test_confirming_clears_not_coming(visit):
    note_not_coming(appointment=visit, now=TWO_HOURS_BEFORE)
    confirm_appointment(appointment=visit, now=TWO_HOURS_BEFORE)
    visit.refresh_from_db()
    assert visit.not_coming_at is None and visit.confirmed_at
    assert read_today(now=TWO_HOURS_BEFORE).cannot_come == []


def test_move_by_staff_clears_not_coming(visit, front_desk):
    note_not_coming(appointment=visit, now=TWO_HOURS_BEFORE)
    later = NINE_ON_TUESDAY + timedelta(days=1)
    assert move_appointment(appointment=visit, starts_at=later, by=front_desk, now=NOW).not_coming_at is None


def test_not_coming_is_refused_when_the_visit_has_begun_or_is_cancelled(visit):
    with pytest.raises(TooLateToChange):
        note_not_coming(appointment=visit, now=NINE_ON_TUESDAY)
    assert ask(visit, now=NINE_ON_TUESDAY, method="post").status_code == 409
    cancel_appointment(appointment=visit, now=NOW)
    with pytest.raises(TooLateToChange):
        note_not_coming(appointment=visit, now=NOW)


# The number of people who are offered the time


def test_offer_and_today_show_how_many_patients_are_offered_the_time(visit, evaluation, post_office):
    wait(evaluation)
    first = format_others(0)
    cancel_appointment(appointment=visit, now=NOW)
    assert [time.asked for time in read_today(now=NOW).offered_times] == [0], "no patient has been told yet"
    with time_machine.travel(NOW + FREED_AT, tick=False):
        send_due_messages(clock=timezone.now)
    [mail] = [mail for mail in post_office.mails if mail["To"] == "walter@example.com" and "free" in mail["Subject"]]
    assert first in " ".join(mail.get_body(("plain",)).get_content().split())
    assert [time.asked for time in read_today(now=NOW + FREED_AT).offered_times] == [1]


def test_offer_to_two_patients_says_that_one_other_is_offered_the_time(visit, evaluation, post_office):
    wait(evaluation)
    wait(evaluation, "Wilma Waiting")
    cancel_appointment(appointment=visit, now=NOW)
    with time_machine.travel(NOW + FREED_AT, tick=False):
        send_due_messages(clock=timezone.now)
    offers = [mail for mail in post_office.mails if "A time is free" in mail["Subject"]]
    assert len(offers) == 2
    for mail in offers:
        assert format_others(1) in " ".join(mail.get_body(("plain",)).get_content().split())
