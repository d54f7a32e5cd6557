"""Rate limits: one visitor cannot use up the schedule or the wait list, and other visitors always get through."""

import re
import uuid
from datetime import UTC, datetime

import pytest
import time_machine
from django.test import Client

from booking.models import Appointment, WaitListEntry
from clinic.practice.access.rate_limits import HOLDS
from clinic.practice.models import Clinic, RateLimit
from tests.booking.locking import race
from tests.booking.visitors import HOUR, TIMES, book_online, join, path_of, press_hold, typed
from tests.pages import text_of
from tests.world import NOW, book

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


# Bookings from one network


def test_bookings_from_one_network_are_limited_to_the_clinics_number(evaluation, clock):
    Clinic.objects.update(bookings_a_day_per_network=3)
    for number in range(3):
        assert book_online(number, email=f"r{number}@example.com").status_code == 303
    refused = book_online(3, email="r3@example.com", name="Nelly Next")
    assert (refused.status_code, refused["Retry-After"]) == (429, str(8 * 60 * 60))
    page = text_of(refused)
    assert "again after 6:01 PM EST" in page and "(603) 555-0123" in page
    assert 'value="Nelly Next"' in refused.content.decode(), "what was typed is kept"
    assert Appointment.objects.count() == 3
    assert book_online(3, email="r3@example.com", address="192.0.2.8").status_code == 303
    clock.shift(8 * HOUR)
    assert [book_online(n, email=f"r{n}@example.com").status_code for n in (4, 5)] == [303, 429]


def test_staff_bookings_are_not_limited(evaluation, front_desk):
    Clinic.objects.update(bookings_a_day_per_network=1, bookings_a_day_per_address=1)
    for number in range(4):
        book(evaluation, starts_at=TIMES[number], by=front_desk)
    assert not RateLimit.objects.exists()


def test_bookings_are_not_limited_when_the_clinic_sets_zero(evaluation):
    Clinic.objects.update(bookings_a_day_per_network=0, bookings_a_day_per_address=0)
    assert {book_online(number).status_code for number in range(12)} == {303}
    browsers = [press_hold(TIMES[12 + number % 6], browser=Client())["Location"] for number in range(6)]
    assert all("/held/" in path for path in browsers)


def test_limit_does_not_reset_at_midnight(evaluation, clock):
    Clinic.objects.update(bookings_a_day_per_network=2)
    clock.move_to(datetime(2026, 11, 23, 23, 59, 50, tzinfo=UTC))
    assert [book_online(n, email=f"r{n}@example.com").status_code for n in range(2)] == [303, 303]
    clock.shift(20)
    assert book_online(2, email="r2@example.com").status_code == 429


@pytest.mark.parametrize(
    "hop", ["192.0.2.7:4711", "[2001:db8::1]:4711", "2001:db8::1%eth0", "", "unknown", "garbage, ", "::ffff:192.0.2.7"]
)
def test_every_forwarded_address_is_limited(evaluation, settings, hop):
    settings.BEHIND_PROXY = True
    Clinic.objects.update(bookings_a_day_per_network=2)
    answers = [
        book_online(n, email=f"r{n}@example.com", headers={"X-Forwarded-For": f"203.0.113.{n}, {hop}"}).status_code
        for n in range(4)
    ]
    assert answers == [303, 303, 429, 429]


def test_requests_without_an_address_count_as_one_network(evaluation):
    Clinic.objects.update(bookings_a_day_per_network=2)
    answers = [book_online(n, email=f"r{n}@example.com", address="").status_code for n in range(4)]
    assert answers == [303, 303, 429, 429]


@pytest.mark.django_db(transaction=True)
def test_one_of_eight_concurrent_bookings_passes_a_limit_of_one(evaluation):
    Clinic.objects.update(bookings_a_day_per_address=1)
    answers = race([lambda n=n: book_online(n, address=f"192.0.2.{n}").status_code for n in range(8)])
    assert sorted(answers) == [303] + [429] * 7
    assert Appointment.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_form_sent_eight_times_at_once_books_once_and_succeeds_each_time(evaluation):
    Clinic.objects.update(bookings_a_day_per_address=1, bookings_a_day_per_network=1)
    key = uuid.uuid4()
    answers = race([lambda: book_online(key=key).status_code] * 8)
    assert answers == [303] * 8
    assert Appointment.objects.count() == 1


def test_refused_booking_does_not_count_toward_the_limit_of_the_address(evaluation):
    Clinic.objects.update(bookings_a_day_per_network=1, bookings_a_day_per_address=2)
    book_online(0, email="bob@example.com")
    for number in range(1, 6):
        assert book_online(number).status_code == 429
    assert [book_online(n, address="192.0.2.8").status_code for n in (1, 2)] == [303, 429]


def test_same_form_counts_once_when_its_time_was_taken(evaluation):
    Clinic.objects.update(bookings_a_day_per_network=1)
    book(evaluation, starts_at=TIMES[0], name="Bob Faster")
    key = uuid.uuid4()
    assert book_online(0, key=key).status_code == 409
    assert book_online(1, key=key).status_code == 303


# Holds


def test_form_books_without_a_hold_over_the_limit_of_holds(evaluation):
    for number in range(HOLDS.at_once):
        assert "/held/" in press_hold(TIMES[number], browser=Client())["Location"]
    browser = Client()
    answer = press_hold(TIMES[12], browser=browser)
    assert (answer.status_code, answer["Location"]) == (303, path_of(TIMES[12], "form/"))
    page = browser.get(answer["Location"])
    assert page.context["is_unheld"]
    key = re.search(r'idempotency_key" value="([^"]+)"', page.content.decode())[1]
    wrong = browser.post(answer["Location"], typed(name="", idempotency_key=key))
    assert wrong.status_code == 422 and wrong.context["is_unheld"]
    assert browser.post(answer["Location"], typed(idempotency_key=key)).status_code == 303
    assert Appointment.objects.filter(status="booked", starts_at=TIMES[12]).count() == 1
    assert "/held/" in press_hold(TIMES[13], browser=Client(), address="192.0.2.8")["Location"]


def test_a_form_without_a_hold_keeps_what_was_typed_when_another_is_faster(evaluation, client):
    form = path_of(TIMES[0], "form/")
    assert client.get(form).status_code == 200
    book(evaluation, starts_at=TIMES[0], name="Bob Faster")
    lost = client.post(form, typed(idempotency_key=str(uuid.uuid4())))
    assert lost.status_code == 409 and 'value="Alice Runner"' in lost.content.decode()
    assert client.get(form).status_code == 409


def test_limit_of_holds_recovers_one_by_one_and_each_hold_expires(evaluation, clock):
    for number in range(HOLDS.at_once + 2):
        press_hold(TIMES[number], browser=Client())
    assert Appointment.objects.count() == HOLDS.at_once
    clock.shift(HOLDS.every)
    places = [press_hold(TIMES[number], browser=Client())["Location"] for number in (15, 16)]
    assert ["/held/" in place for place in places] == [True, False]


def test_new_hold_replaces_the_browsers_earlier_one(evaluation, client):
    for starts_at in TIMES[: HOLDS.at_once]:
        assert "/held/" in press_hold(starts_at, browser=client)["Location"]
    assert Appointment.objects.count() == 1
    form = press_hold(TIMES[15], browser=client)["Location"]
    assert Appointment.objects.filter(status="held").count() == 1, "they keep what they have until they have another"
    key = re.search(r'idempotency_key" value="([^"]+)"', client.get(form).content.decode())[1]
    assert client.post(form, typed(idempotency_key=key)).status_code == 303
    assert Appointment.objects.get().status == "booked", "the time they left is given back"


# The wait list


def test_joining_from_one_network_is_limited_and_keeps_the_typed_values(evaluation, clock):
    Clinic.objects.update(bookings_a_day_per_network=2)
    answers = [join(number, email=f"w{number}@example.com") for number in range(3)]
    assert [answer.status_code for answer in answers] == [303, 303, 429]
    assert 'value="Walter W2"' in answers[2].content.decode() and answers[2]["Retry-After"] == str(12 * 60 * 60)
    assert WaitListEntry.objects.count() == 2
    clock.shift(12 * HOUR)
    assert join(3, email="w3@example.com").status_code == 303


def test_joining_by_a_double_click_counts_once(evaluation):
    Clinic.objects.update(bookings_a_day_per_address=1)
    assert [join().status_code for _ in range(2)] == [303, 303]
