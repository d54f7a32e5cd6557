"""The therapist's calendar feed: at a secret URL, without a patient's name or a reason."""

import re
from datetime import timedelta

import icalendar
import pytest
import time_machine

from booking.actions.change import cancel_appointment
from booking.calendar_feed.alerts import alert_about_silent_feeds, note_failure
from booking.calendar_feed.feeds import create_feed, revoke_feed
from booking.message_kinds.staff.feed_broken import READ_AGAIN
from booking.models import CalendarFeed
from booking.tasks import look_for_silent_feeds
from clinic.celery import app
from clinic.outbox.models import Message
from tests.clinic.letters import sweep, written
from tests.world import NINE_ON_TUESDAY, NOW, book, make_therapist


@pytest.fixture(autouse=True)
def _monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


def path_of(token: str) -> str:
    return f"/calendars/{token}/visits.ics"


def test_feed_shows_times_and_no_patient_or_service(client, evaluation, call, meredith, front_desk):
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


def test_only_the_hash_of_a_feed_is_stored_and_a_revoked_feed_is_gone(client, meredith, front_desk):
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


# Feeds that are no longer read or cannot be made


DAY = timedelta(days=1)


def alert():
    return Message.objects.filter(kind="staff_feed_broken")


def read_daily(client, token, days=3):
    for day in range(days):
        with time_machine.travel(NOW + day * DAY, tick=False):
            assert client.get(path_of(token)).status_code == 200


def test_access_to_a_feed_is_recorded_once_an_hour(client, meredith, front_desk):
    token = create_feed(therapist=meredith, by=front_desk, now=NOW)
    for minutes in (0, 15, 59, 61):
        with time_machine.travel(NOW + timedelta(minutes=minutes), tick=False):
            client.get(path_of(token))
    feed = CalendarFeed.objects.get()
    assert (feed.last_read_at, feed.days_read) == (NOW + timedelta(minutes=61), 1)


def test_alert_is_sent_once_when_a_daily_read_feed_is_unread_for_two_days(client, meredith, front_desk, post_office):
    token = create_feed(therapist=meredith, by=front_desk, now=NOW)
    read_daily(client, token)
    last = NOW + 2 * DAY
    assert alert_about_silent_feeds(now=last + 2 * DAY - timedelta(seconds=1)) == []
    silent = last + 2 * DAY
    for hour in range(3):
        alert_about_silent_feeds(now=silent + timedelta(hours=hour))
    assert alert().count() == 1
    sweep(now=silent)
    mail = post_office.mails[-1]
    assert mail["To"] == "hello@clinic.example"
    assert mail["Subject"].endswith("no longer read: Meredith")
    assert "has not since Wednesday, November 25, 10:00 AM EST" in mail.get_body(("plain",)).get_content()


def test_feed_that_failed_on_the_day_since_which_it_is_silent_is_alerted_about_again(client, meredith, front_desk):
    token = create_feed(therapist=meredith, by=front_desk, now=NOW)
    read_daily(client, token)
    last = NOW + 2 * DAY
    note_failure(CalendarFeed.objects.get(), now=last)
    assert len(alert_about_silent_feeds(now=last + 2 * DAY)) == 1
    assert alert().count() == 2


def test_no_alert_is_sent_for_a_feed_that_was_read_on_two_days_only(client, meredith, front_desk):
    read_daily(client, create_feed(therapist=meredith, by=front_desk, now=NOW), days=2)
    assert alert_about_silent_feeds(now=NOW + 9 * DAY) == []


def test_no_alert_is_sent_for_a_feed_that_is_read_again_or_revoked(client, meredith, front_desk, post_office):
    token = create_feed(therapist=meredith, by=front_desk, now=NOW)
    read_daily(client, token)
    later = NOW + 5 * DAY
    alert_about_silent_feeds(now=later)
    with time_machine.travel(later, tick=False):
        client.get(path_of(token))
    sweep(now=later)
    assert alert().get().reason == READ_AGAIN
    revoke_feed(CalendarFeed.objects.get(), now=later)
    assert alert_about_silent_feeds(now=later + 9 * DAY) == []
    assert post_office.mails == []


def test_feed_that_cannot_be_built_returns_an_error_and_sends_one_alert_a_day(
    client, evaluation, meredith, front_desk, post_office, caplog, monkeypatch
):
    token = create_feed(therapist=meredith, by=front_desk, now=NOW)
    book(evaluation)

    def break_on(visit, now):
        raise ValueError(f"cannot write down {visit.patient.name}")

    with monkeypatch.context() as broken:
        broken.setattr("booking.calendar_feed.feeds._visit_event", break_on)
        for _ in range(3):
            response = client.get(path_of(token))
            assert (response.status_code, response["Retry-After"], response.content) == (503, "3600", b"")
    assert "Alice" not in written(caplog)
    assert alert().count() == 1
    sweep(now=NOW)
    assert any(mail["Subject"].endswith("Meredith") for mail in post_office.mails)
    assert client.get(path_of(token)).status_code == 200
    assert CalendarFeed.objects.get().failed_at is None


def test_check_for_silent_feeds_is_scheduled(meredith, front_desk, client):
    assert look_for_silent_feeds.name in {entry["task"] for entry in app.conf.beat_schedule.values()}
    read_daily(client, create_feed(therapist=meredith, by=front_desk, now=NOW))
    with time_machine.travel(NOW + 5 * DAY, tick=False):
        look_for_silent_feeds()
    assert alert().count() == 1


def test_staff_see_when_each_feed_was_read(client, meredith, django_user_model):
    olga = django_user_model.objects.create_superuser("olga@clinic.example", name="Olga")
    client.force_login(olga)
    token = create_feed(therapist=meredith, by=olga, now=NOW)
    url = "/admin/booking/calendarfeed/"
    assert "not read yet" in client.get(url).content.decode()
    client.get(path_of(token))
    assert "in use" in client.get(url).content.decode()
    CalendarFeed.objects.update(last_read_at=NOW - 3 * DAY)
    assert "no longer read" in client.get(url).content.decode()
    CalendarFeed.objects.update(failed_at=NOW)
    assert "could not be created" in client.get(url).content.decode()


def test_admin_shows_the_url_of_a_feed_once_and_can_revoke_it(client, meredith, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("olga@clinic.example", name="Olga"))
    url = "/admin/booking/calendarfeed/"
    page = client.post(url + "add/", {"therapist": meredith.pk}, follow=True).content.decode()
    token = re.search(r"/calendars/([\w-]{43})/visits\.ics", page)[1]
    assert client.get(path_of(token)).status_code == 200
    assert token not in client.get(url).content.decode()
    feed = CalendarFeed.objects.get()
    client.post(url, {"action": "end", "_selected_action": [feed.pk]})
    assert client.get(path_of(token)).status_code == 404
