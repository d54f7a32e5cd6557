"""A visit that is moved, cancelled and restored many times: few emails, few offers, and a rate limit."""

from collections import Counter

import pytest
import time_machine
from django.test import Client

from booking.actions.change import cancel_appointment, move_appointment
from booking.message_kinds.wait_list.slot_offer import HAD_ENOUGH
from booking.models import Appointment, SlotOffer
from booking.schedule.visit_links import visit_path
from clinic.outbox.models import Message
from clinic.practice.access.rate_limits import MAILS
from clinic.practice.models import Clinic, Proof, RateLimit
from tests.booking.visitors import DAY, HOUR, MINUTE, TIMES, book_online, join, move_online, press
from tests.booking.waiting import message_about, wait
from tests.clinic.letters import fate, sweep
from tests.pages import text_of
from tests.world import NOW, book

pytestmark = [pytest.mark.django_db, pytest.mark.long]


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def test_thirty_moves_in_twelve_seconds_send_one_mail_and_one_offer_to_each_who_waits(evaluation, post_office, clock):
    for number in range(5):
        wait(evaluation, name=f"W{number} Waiting")
    browser = Client()
    path = book_online(browser=browser, email="victim@example.com")["Location"]
    answers = []
    for number in range(30):
        answer = move_online(browser, path, TIMES[1 + number % 14])
        answers.append(answer.status_code)
        path = answer.get("Location", path)
        clock.shift(0.4)
    for minutes in range(0, 24 * 60, 3):
        sweep(now=NOW + minutes * MINUTE)
    letters = [(mail["To"], mail["Subject"]) for mail in post_office.mails]
    to_victim = [subject for address, subject in letters if address == "victim@example.com"]
    assert set(answers) == {303, 429}
    assert [subject.partition(":")[0] for subject in to_victim] == ["Your visit is moved"]
    assert str(Appointment.objects.get().starts_at.astimezone(TIMES[0].tzinfo).day) in to_victim[0]
    offers = [address for address, subject in letters if subject.startswith("A time is free")]
    assert sorted(offers) == [f"w{number}@example.com" for number in range(5)]


def test_visit_moved_too_often_is_not_moved_and_the_page_asks_to_call(evaluation, clock):
    browser = Client()
    path = book_online(browser=browser)["Location"]
    answer = None
    for starts_at in TIMES[1:]:
        answer = move_online(browser, path, starts_at)
        if answer.status_code == 429:
            break
        path = answer["Location"]
    page = text_of(answer)
    assert answer.status_code == 429 and "(603) 555-0123" in page and int(answer["Retry-After"]) > 60
    assert "Your visit stays on" in page and browser.get(path).status_code == 200
    assert press(browser, path + "cancel/").status_code == 303, "giving a time back is never limited"


def test_a_double_click_on_a_move_counts_once(evaluation, client):
    path = book_online(browser=client)["Location"]
    for _ in range(2):
        assert move_online(client, path, TIMES[1]).status_code == 303
    assert RateLimit.objects.exists() and Appointment.objects.get().version == 2


def test_corrections_of_the_address_are_limited_by_visit_and_by_address(evaluation, post_office):
    browser = Client()
    path = book_online(browser=browser)["Location"]
    answers = [browser.post(path + "address/", {"email": f"victim+{n}@example.com"}) for n in range(5)]
    assert [answer.status_code for answer in answers] == [303, 303, 303, 429, 429]
    assert "(603) 555-0123" in text_of(answers[-1])
    sweep(now=NOW + 5 * MINUTE)
    assert len(post_office.mails) <= 4


def test_stranger_can_send_no_more_email_when_the_mailbox_has_reached_its_limit(evaluation, clock):
    Clinic.objects.update(bookings_a_day_per_address=MAILS.at_once)
    for number in range(MAILS.at_once):
        book_online(number, email="victim@example.com", name=f"S{number} Mean", address=f"198.51.{number}.1")
    browser = Client()
    path = book_online(9, browser=browser, email="mallory@example.com")["Location"]
    assert browser.post(path + "address/", {"email": "Victim+x@example.com"}).status_code == 429
    assert Appointment.objects.get(starts_at=TIMES[9]).patient.email == "mallory@example.com"
    assert "mallory" in browser.get(path).content.decode()


def test_owner_with_a_mailed_link_is_not_limited_by_what_strangers_did(evaluation, post_office, clock):
    visit = book(evaluation, starts_at=TIMES[10], email="victim@example.com")
    Clinic.objects.update(bookings_a_day_per_address=MAILS.at_once)
    for number in range(MAILS.at_once):
        book_online(number, email="victim@example.com", name=f"S{number} Mean", address=f"198.51.{number}.1")
    shown, mailed = (visit_path(visit, proof=proof, now=NOW) for proof in (Proof.SHOWN, Proof.MAILED))
    sweep(now=NOW)
    assert Client().post(shown + "mail/").status_code == 409
    assert move_online(Client(), shown, TIMES[11]).status_code == 429
    assert Client().post(mailed + "mail/").status_code == 200
    assert move_online(Client(), mailed, TIMES[11]).status_code == 303


def test_undoing_cancellations_is_limited(evaluation, client):
    path = book_online(browser=client)["Location"]
    answers = []
    for _ in range(5):
        press(client, path + "cancel/")
        answers.append(press(client, path + "undo/").status_code)
    assert answers == [303, 303, 303, 429, 429]
    assert "Your visit stays canceled" in text_of(press(client, path + "undo/"))


def test_all_actions_of_strangers_together_send_few_emails_to_one_mailbox(evaluation, post_office, clock):
    Clinic.objects.update(bookings_a_day_per_network=0)
    minutes = 0
    for number in range(40):
        browser, where = Client(), {"address": f"198.{number}.0.1"}
        booked = book_online(number % 15, browser=browser, email="victim@example.com", name=f"S{number} Mean", **where)
        join(number, email="Victim@example.com", **where)
        browser.post("/again/", {"email": "victim@example.com"}, REMOTE_ADDR=f"198.{number}.0.1")
        if booked.status_code == 303:
            move_online(browser, booked["Location"], TIMES[15 + number % 5])
        clock.shift(4 * MINUTE)
        minutes += 4
        sweep(now=NOW + minutes * MINUTE)
    subjects = [mail["Subject"] for mail in post_office.mails]
    most = MAILS.at_once + 40 * 4 * MINUTE // MAILS.every
    links = [subject for subject in subjects if "link" in subject or "confirm" in subject.lower()]
    offers = [subject for subject in subjects if subject.startswith("A time is free")]
    assert len(links) <= 4 + 3 and len(offers) <= 3
    assert 3 <= len(subjects) - len(links) - len(offers) <= most


# Offers


def test_mail_about_a_move_waits_three_minutes_after_the_last_one_whoever_moves(evaluation, front_desk):
    visit = book(evaluation)
    move_appointment(appointment=visit, starts_at=TIMES[1], now=NOW)
    move_appointment(appointment=visit, starts_at=TIMES[2], now=NOW + MINUTE)
    first, second = Message.objects.filter(kind="booking_moved").order_by("version")
    assert (first.state, first.reason) == ("skipped", "the visit was moved")
    assert (second.state, second.due_at) == ("waiting", NOW + 4 * MINUTE)
    move_appointment(appointment=visit, starts_at=TIMES[3], by=front_desk, now=NOW + 2 * MINUTE)
    assert Message.objects.filter(kind="booking_moved").order_by("version").last().due_at == NOW + 5 * MINUTE


def test_offers_of_the_first_freed_time_wait_until_the_moves_have_stopped(evaluation):
    visit = book(evaluation, starts_at=TIMES[0])
    wait(evaluation)
    move_appointment(appointment=visit, starts_at=TIMES[1], now=NOW)
    move_appointment(appointment=visit, starts_at=TIMES[2], now=NOW + 2 * MINUTE)
    offer = SlotOffer.objects.get()
    assert (offer.starts_at, message_about(offer).due_at) == (TIMES[0], NOW + 5 * MINUTE)
    move_appointment(appointment=visit, starts_at=TIMES[0], now=NOW + 4 * MINUTE)
    sweep(now=NOW + 8 * MINUTE)
    assert fate(message_about(offer)) == ("skipped", "the time is taken")


def test_time_that_a_visit_had_for_long_is_offered_after_a_second_move(evaluation):
    visit = book(evaluation, starts_at=TIMES[0])
    wait(evaluation)
    move_appointment(appointment=visit, starts_at=TIMES[1], now=NOW)
    move_appointment(appointment=visit, starts_at=TIMES[2], now=NOW + 3 * MINUTE)
    assert [offer.starts_at for offer in SlotOffer.objects.order_by("starts_at")] == [TIMES[0], TIMES[1]]


def test_offer_is_not_postponed_when_it_would_be_too_late(evaluation):
    visit = book(evaluation, starts_at=TIMES[0])
    wait(evaluation)
    late = TIMES[0] - 24 * HOUR - 4 * MINUTE
    move_appointment(appointment=visit, starts_at=TIMES[6], now=late)
    message = message_about(SlotOffer.objects.get())
    Message.objects.filter(pk=message.pk).update(not_after=late + 4 * MINUTE)
    move_appointment(appointment=visit, starts_at=TIMES[7], now=late + 2 * MINUTE)
    message.refresh_from_db()
    assert message.due_at == late + 3 * MINUTE


def test_patient_on_the_wait_list_is_offered_three_times_a_day_at_most(evaluation, post_office, clock):
    wait(evaluation)
    visits = [book(evaluation, starts_at=TIMES[number], name=f"R{number} Runner") for number in range(8)]
    for number, visit in enumerate(visits):
        at = NOW + number * 10 * MINUTE
        cancel_appointment(appointment=visit, now=at)
        sweep(now=at + 4 * MINUTE)
    offered = [mail for mail in post_office.mails if mail["Subject"].startswith("A time is free")]
    assert len(offered) == SlotOffer.objects.count() == 3, "no place in a round is kept for a patient at the limit"
    later = book(evaluation, starts_at=TIMES[9], name="Lea Later", now=NOW + DAY)
    cancel_appointment(appointment=later, now=NOW + DAY + HOUR)
    sweep(now=NOW + DAY + HOUR + 4 * MINUTE)
    assert len([mail for mail in post_office.mails if mail["Subject"].startswith("A time is free")]) == 4


def test_times_freed_at_one_instant_are_offered_three_times_a_day_too(evaluation, post_office, monkeypatch):
    wait(evaluation)
    visits = [book(evaluation, starts_at=TIMES[number], name=f"R{number} Runner") for number in range(6)]
    monkeypatch.setattr(
        "booking.wait_list.slot_offers.offers_of_the_day", lambda now: Counter()
    )  # no offer counts the others yet
    for visit in visits:
        cancel_appointment(appointment=visit, now=NOW)
    sweep(now=NOW + 4 * MINUTE)
    assert len([mail for mail in post_office.mails if mail["Subject"].startswith("A time is free")]) == 3
    assert Message.objects.filter(reason=HAD_ENOUGH).count() == 3
