"""The therapist's calendar: by a secret address, without a name or a reason in it."""

import re
from datetime import timedelta

import icalendar
import pytest
import time_machine

from booking.changes import cancel_appointment
from booking.feeds import create_feed, revoke_feed
from booking.models import CalendarFeed

from .conftest import NINE_ON_TUESDAY, NOW, book, make_therapist


@pytest.fixture(autouse=True)
def _monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


def path_of(token: str) -> str:
    return f"/calendars/{token}/visits.ics"


def test_a_feed_shows_when_and_never_who_or_why(client, evaluation, call, meredith, front_desk):
    evaluation.name = "Pelvic floor evaluation"
    evaluation.save()
    visit = book(evaluation)
    cancelled = book(evaluation, starts_at=NINE_ON_TUESDAY + timedelta(hours=1), name="Carol")
    cancel_appointment(appointment=cancelled, now=NOW)
    book(call, starts_at=NINE_ON_TUESDAY + timedelta(hours=4), name="Bob Caller")
    response = client.get(path_of(create_feed(therapist=meredith, by=front_desk, now=NOW)))
    assert response["Content-Type"].startswith("text/calendar")
    assert "no-store" in response["Cache-Control"]
    text = response.content.decode()
    assert not re.search("alice|runner|bob|carol|pelvic|evaluation|example.com|0199", text, re.I)
    assert visit.reference not in text
    assert str(visit.pk) not in text
    events = icalendar.Calendar.from_ical(response.content).walk("VEVENT")
    assert [(event["dtstart"].dt, str(event["summary"])) for event in events] == [
        (visit.starts_at, "Visit, in person"),
        (NINE_ON_TUESDAY + timedelta(hours=4), "Visit, by phone"),
    ]


def test_a_feed_shows_its_therapists_visits_only(client, evaluation, front_desk):
    nora = make_therapist("Nora", position=1)
    book(evaluation)
    response = client.get(path_of(create_feed(therapist=nora, by=front_desk, now=NOW)))
    assert b"VEVENT" not in response.content


def test_only_the_hash_is_kept_and_a_revoked_feed_is_gone(client, meredith, front_desk):
    token = create_feed(therapist=meredith, by=front_desk, now=NOW)
    feed = CalendarFeed.objects.get()
    assert token.encode() not in bytes(feed.token_hash)
    assert client.get(path_of(token)).status_code == 200
    revoke_feed(feed, now=NOW)
    for gone in (token, "x", "A" * 43):
        assert client.get(path_of(gone)).status_code == 404


def test_a_therapist_who_left_has_no_feed(client, meredith, front_desk):
    token = create_feed(therapist=meredith, by=front_desk, now=NOW)
    meredith.is_active = False
    meredith.save()
    assert client.get(path_of(token)).status_code == 404


def test_the_admin_shows_an_address_once_and_ends_it(client, meredith, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("olga@clinic.example", name="Olga"))
    url = "/admin/booking/calendarfeed/"
    page = client.post(url + "add/", {"therapist": meredith.pk}, follow=True).content.decode()
    token = re.search(r"/calendars/([\w-]{43})/visits\.ics", page)[1]
    assert client.get(path_of(token)).status_code == 200
    assert token not in client.get(url).content.decode()
    feed = CalendarFeed.objects.get()
    client.post(url, {"action": "end", "_selected_action": [feed.pk]})
    assert client.get(path_of(token)).status_code == 404
