"""Pages after going back in the browser: they show only to this browser what it did with the time."""

import uuid
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from booking.actions.change import cancel_appointment
from booking.models import Appointment
from tests.booking.holding import NINE, TEN, TYPED, press, typed
from tests.pages import text_of
from tests.world import NOW, book

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def send(client, place, **changes):
    return client.post(place, TYPED | {"idempotency_key": str(uuid.uuid4())} | changes)


@pytest.mark.parametrize("back", ["", "form/", "hold/", "held"])
def test_page_after_going_back_from_a_booking_links_to_the_visit(client, evaluation, clock, back):
    place = press(client, NINE)["Location"]
    booked = client.post(place, typed(client.get(place)))
    pages = {"held": lambda of: of.get(place), "hold/": lambda of: of.post(NINE + "hold/")}
    look = pages.get(back, lambda of: of.get(NINE + back))
    page = look(client)
    assert page.status_code in (409, 410)
    assert page.context["booked_here"] and f'href="{booked["Location"]}"' in page.text
    assert page.text.count("/hold/") == 0
    assert "/visits/" not in look(Client()).text, "another browser learns nothing"


def test_page_after_going_back_does_not_mention_a_cancelled_or_old_booking(client, evaluation, clock):
    send(client, NINE)
    clock.shift(timedelta(minutes=61))
    assert "/visits/" not in client.get(NINE).text
    second = send(client, TEN)
    assert second.status_code == 303
    cancel_appointment(appointment=Appointment.objects.get(starts_at__hour=15), now=NOW + timedelta(minutes=61))
    free = client.get(TEN)
    assert free.status_code == 200 and free.context["was_held"] is None and "hold/" in free.text


def test_forged_cookie_leads_to_no_visit(client, evaluation, clock):
    visit = book(evaluation)
    client.cookies["booked"] = str(visit.pk)
    assert "/visits/" not in client.get(NINE).text


def test_second_form_for_the_same_time_keeps_what_was_typed_and_names_the_visit(client, evaluation, clock):
    booked = send(client, NINE)
    page = send(client, NINE, name="Mia Runner")
    assert page.status_code == 409 and page.context["booked_here"]
    assert booked["Location"] in page.text and 'value="Mia Runner"' in page.text


def test_released_hold_page_says_that_the_time_was_given_back(client, evaluation, clock):
    place = press(client, NINE)["Location"]
    client.post(place + "release/")
    assert client.get(place).context["was_held"] == {"why": "given_back"}


def test_released_hold_page_links_to_the_new_hold(client, evaluation, clock):
    place = press(client, NINE)["Location"]
    other = press(client, TEN)["Location"]
    page = client.get(place)
    assert page.context["was_held"]["why"] == "other_hold" and f'href="{other}"' in page.text


def test_released_hold_page_links_to_the_booked_visit(client, evaluation, clock):
    place = press(client, NINE)["Location"]
    booked = send(client, TEN)
    page = client.get(place)
    assert page.context["was_held"]["why"] == "other_booking" and f'href="{booked["Location"]}"' in page.text
    assert "/visits/" not in Client().get(place).text


def test_expired_hold_page_says_that_the_hold_expired(client, evaluation, clock):
    place = press(client, NINE)["Location"]
    clock.shift(timedelta(minutes=11))
    assert client.get(place).context["was_held"] == {"why": "over"}
    Appointment.objects.all().delete()
    assert client.get(place).context["was_held"] == {"why": "unknown"}


def test_page_of_a_taken_time_shows_it_and_the_nearest_free_times(client, evaluation, clock):
    book(evaluation)
    gone = client.get(NINE)
    assert gone.context["others"] and not gone.context["is_past"] and str(gone.context["time"]) in text_of(gone)


@pytest.mark.parametrize("path", ["/book/", "/book/evaluation/", "/book/call/", "/book/call/2026-12-01/"])
def test_pages_before_the_form_lead_back_to_the_time_this_browser_holds(client, evaluation, call, clock, path):
    place = press(client, NINE)["Location"]
    page = client.get(path)
    assert "Tuesday, December 1, 9:00 AM EST" in text_of(page)
    assert page.text.count(f'href="{place}"') == 1
    assert place not in Client().get(path).text
    clock.shift(timedelta(minutes=11))
    assert place not in client.get(path).text
