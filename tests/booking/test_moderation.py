"""One stranger cannot keep the whole diary for themselves, and nobody else notices the limit."""

import uuid
from datetime import timedelta

import pytest
import time_machine
from django.test import Client, RequestFactory

from booking.changes import cancel_appointment
from booking.models import Appointment
from booking.moderation import HOLDS_AT_ONCE
from booking.refusals import TooManyBookings
from clinic.practice.models import Clinic
from clinic.practice.networks import network_mark

from .conftest import NINE_ON_TUESDAY, NOW, book

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HERE, THERE = "a" * 32, "b" * 32
TIMES = [NINE_ON_TUESDAY + day * DAY + hour * HOUR for day in range(3) for hour in (0, 1, 4, 5, 6)]


def book_nth(service, number, **changes):
    return book(service, starts_at=TIMES[number], **{"network": HERE, "name": f"Runner{number} Quick", **changes})


def press_hold(starts_at, *, browser, address="192.0.2.7"):
    path = f"/book/evaluation/meredith/{starts_at:%Y%m%dT%H%MZ}/hold/"
    return browser.post(path, {"key": str(uuid.uuid4())}, REMOTE_ADDR=address)


def test_bookings_from_one_network_end_at_the_clinics_number(evaluation):
    Clinic.objects.update(bookings_a_day_per_network=3)
    for number in range(3):
        book_nth(evaluation, number)
    with pytest.raises(TooManyBookings):
        book_nth(evaluation, 3)
    assert Appointment.objects.count() == 3
    assert book_nth(evaluation, 3, network=THERE).status == "booked"
    assert book_nth(evaluation, 4, network="").status == "booked", "staff book as they like"
    assert book_nth(evaluation, 5, now=NOW + DAY).status == "booked"


def test_bookings_by_one_address_end_in_any_spelling_and_from_anywhere(evaluation):
    Clinic.objects.update(bookings_a_day_per_address=2)
    book_nth(evaluation, 0, email="alice@example.com")
    book_nth(evaluation, 1, email="Alice@Example.com", network=THERE)
    with pytest.raises(TooManyBookings):
        book_nth(evaluation, 2, email=" ALICE@example.com", network="c" * 32)
    assert book_nth(evaluation, 2, email="bob@example.com").status == "booked"


def test_a_cancelled_booking_counts_and_one_form_sent_again_does_not(evaluation):
    Clinic.objects.update(bookings_a_day_per_network=2)
    key = uuid.uuid4()
    first = book_nth(evaluation, 0, idempotency_key=key)
    cancel_appointment(appointment=book_nth(evaluation, 1), now=NOW)
    assert book_nth(evaluation, 0, idempotency_key=key).pk == first.pk
    with pytest.raises(TooManyBookings):
        book_nth(evaluation, 2)


def test_no_limit_when_the_clinic_wants_none(evaluation):
    Clinic.objects.update(bookings_a_day_per_network=0, bookings_a_day_per_address=0)
    for number in range(8):
        book_nth(evaluation, number, email="alice@example.com")
    assert Appointment.objects.count() == 8


def test_holds_of_who_keeps_no_cookies_end_with_a_page_that_gives_the_phone_number(evaluation):
    with time_machine.travel(NOW, tick=False):
        for number in range(HOLDS_AT_ONCE):
            assert press_hold(TIMES[number], browser=Client()).status_code == 303
        refused = press_hold(TIMES[9], browser=Client())
        assert refused.status_code == 429
        assert "(603) 555-0123" in refused.content.decode()
        assert "free again after 10 minutes" in refused.content.decode()
        assert press_hold(TIMES[9], browser=Client(), address="192.0.2.8").status_code == 303
    with time_machine.travel(NOW + timedelta(minutes=11), tick=False):
        assert press_hold(TIMES[10], browser=Client()).status_code == 303, "they run out"


def test_a_browser_that_changes_its_mind_never_meets_the_limit(evaluation, client):
    with time_machine.travel(NOW, tick=False):
        for starts_at in TIMES[: HOLDS_AT_ONCE + 4]:
            assert press_hold(starts_at, browser=client).status_code == 303
    assert Appointment.objects.count() == 1


def test_the_form_of_one_booking_too_many_says_so_and_books_nothing(evaluation, client):
    Clinic.objects.update(bookings_a_day_per_network=1)
    with time_machine.travel(NOW, tick=False):
        for number, status in ((0, 303), (1, 429)):
            typed = {"name": "Alice Runner", "email": "alice@example.com", "phone": "603 555 0199", "mode": "in_person"}
            path = f"/book/evaluation/meredith/{TIMES[number]:%Y%m%dT%H%MZ}/"
            assert client.post(path, typed | {"idempotency_key": str(uuid.uuid4())}).status_code == status
    assert Appointment.objects.count() == 1


# The mark itself.


def mark(address, now=NOW, **headers):
    return network_mark(RequestFactory().get("/", REMOTE_ADDR=address, **headers), now=now)


def test_mark_is_one_for_a_household_and_another_tomorrow():
    assert mark("2001:db8:1:2:aaaa::1") == mark("2001:db8:1:2:bbbb::2") != mark("2001:db8:1:3::1")
    assert mark("192.0.2.7") == mark("::ffff:192.0.2.7") != mark("192.0.2.8")
    assert mark("192.0.2.7") != mark("192.0.2.7", now=NOW + DAY)
    assert "192" not in mark("192.0.2.7") and len(mark("192.0.2.7")) == 32


@pytest.mark.parametrize("address", ["", "unix:", "not an address"])
def test_mark_is_empty_when_nobody_knows_the_address(address):
    assert mark(address) == ""


def test_mark_believes_the_last_proxy_only_when_there_is_one(settings):
    forwarded = {"HTTP_X_FORWARDED_FOR": "203.0.113.9, 192.0.2.7"}
    assert mark("10.0.0.1", **forwarded) == mark("10.0.0.1")
    settings.BEHIND_PROXY = True
    assert mark("10.0.0.1", **forwarded) != mark("10.0.0.1")
    expected = mark("10.0.0.1", HTTP_X_FORWARDED_FOR="192.0.2.7")
    assert mark("10.0.0.1", **forwarded) == expected
