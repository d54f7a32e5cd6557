"""Messages to patients: content, agreement of page, email and calendar, and relevance."""

import re
from datetime import UTC, date, datetime, timedelta
from email.utils import parseaddr

import icalendar
import pytest
import time_machine

from assessments.models import Questionnaire, Response
from booking.actions.attend import mark_arrived
from booking.actions.change import cancel_appointment
from booking.messages.invitation import visit_calendar
from booking.messages.last_told import CHANGED
from booking.messages.relevance import NOT_CANCELLED
from booking.models import MODES, Appointment, OpeningHours
from booking.schedule.local_time import format_place
from booking.schedule.visit_links import visit_path
from clinic.outbox.messages.kinds import find_kind
from tests.booking.messages.rendering import message_of, when, why_not, words_of
from tests.clinic.letters import render_message
from tests.pages import text_of
from tests.world import NINE_ON_TUESDAY, NOW, book

KINDS = ("booking_booked", "booking_reminder_48h", "booking_reminder_2h")


def email(visit, kind="booking_booked", now=NOW):
    return render_message(message_of(visit, kind), now=now)


def event_of(content: bytes):
    calendar = icalendar.Calendar.from_ical(content)
    return calendar, calendar.walk("VEVENT")[0]


def test_email_shows_time_place_and_links_for_changes(evaluation, clinic):
    visit = book(evaluation)
    mail = email(visit)
    assert mail.to == "alice@example.com"
    assert mail.subject.endswith(when(NINE_ON_TUESDAY))
    for part in (mail.text, words_of(mail.html)):
        assert when(NINE_ON_TUESDAY) in part
        assert format_place(visit.visit_mode, clinic) in part
        assert visit.reference in part
        assert "(603) 555-0123" in part
    assert re.search(r"/visits/[\w-]{43}/", mail.text)
    assert "/intake/" not in mail.text


@pytest.mark.parametrize(
    ("sent_at", "words"),
    [
        (NINE_ON_TUESDAY - timedelta(hours=48), "on Tuesday, December 1"),
        (NINE_ON_TUESDAY - timedelta(hours=20), "tomorrow"),
        (datetime(2026, 12, 1, 4, 59, tzinfo=UTC), "tomorrow"),  # a minute to midnight at the clinic
        (datetime(2026, 12, 1, 5, 0, tzinfo=UTC), "today"),
    ],
)
def test_reminder_names_today_or_tomorrow_as_of_when_it_is_sent(evaluation, sent_at, words):
    mail = email(book(evaluation), "booking_reminder_2h", now=sent_at)
    assert mail.subject == f"Your visit {words}, 9:00 AM EST"
    assert f"Your visit is {words} at 9:00 AM EST." in mail.text


def test_caller_in_another_zone_sees_their_own_day_and_the_clinics(call):
    """9:00 PM at the clinic is the next morning in Sydney."""
    OpeningHours.objects.create(therapist=call.therapists.get(), weekday=1, opens="20:00", closes="22:00")
    nine_pm = NINE_ON_TUESDAY + timedelta(hours=12)
    visit = book(call, starts_at=nine_pm, time_zone="Australia/Sydney")
    mail = email(visit, "booking_reminder_2h", now=datetime(2026, 12, 1, 12, tzinfo=UTC))
    assert mail.subject.endswith("tomorrow, 1:00 PM AEDT")
    assert f"Wednesday, December 2, 1:00 PM AEDT\n{when(nine_pm)} at the clinic\n" in mail.text
    assert MODES["phone"].place.format(number="you") in mail.text


def test_reminder_of_questions_contains_no_name_and_stops_when_they_are_done(evaluation):
    Questionnaire.objects.create(
        slug="intake", version=1, title="Hip and groin", definition={}, published_at=NOW, created_at=NOW
    )
    evaluation.intake_slug = "intake"
    visit = book(evaluation)
    mail = email(visit)
    assert re.search(r"/intake/[\w-]{43}/", mail.text)
    assert not re.search("hip|groin", mail.text + mail.html, re.I)
    Response.objects.filter(pk=visit.intake_id).update(status="completed", completed_at=NOW, saved_at=NOW)
    assert "/intake/" not in email(visit).text


def test_email_is_well_formed_with_hostile_names(evaluation, clinic):
    clinic.name = 'Ben & Söhne "Läufer" <Clinic>; Inc,'
    clinic.save()
    visit = book(evaluation, name='Eve "x" <script>alert(1)</script>\r\nBcc: spy@example.com', email="eve@example.com")
    for kind in KINDS:
        mail = email(visit, kind)
        assert "\n" not in mail.subject
        assert "&amp;" not in mail.subject + mail.text
        assert "<script>" not in mail.html
        assert "Ben & Söhne" in mail.text
        assert "Bcc" not in mail.text + mail.subject
    content = email(visit).calendar
    assert not [line for line in content.splitlines() if line.startswith(b"Bcc")]
    _, event = event_of(content)
    assert event["summary"] == 'Visit at Ben & Söhne "Läufer" <Clinic>; Inc,'


def test_no_message_names_the_reason_the_patient_or_the_service(evaluation):
    evaluation.name = "Pelvic floor assessment"
    evaluation.summary = "For pain in the groin."
    evaluation.save()
    visit = book(evaluation, name="Alice Runner")
    cancelled = book(evaluation, name="Alice Runner", starts_at=NINE_ON_TUESDAY + timedelta(hours=2))
    cancel_appointment(appointment=cancelled, now=NOW)
    mails = [email(visit, kind) for kind in KINDS] + [email(cancelled, "booking_cancelled")]
    for mail in mails:
        assert not re.search("pelvic|groin|alice runner", mail.subject + mail.text + mail.html, re.I)
        if mail.calendar:
            _, event = event_of(mail.calendar)
            assert not re.search("pelvic|groin", str(event["summary"]) + str(event["description"]), re.I)


def test_messages_are_skipped_when_the_visit_is_cancelled_changed_or_begun(evaluation, front_desk):
    visit = book(evaluation)
    kind = "booking_reminder_2h"
    assert why_not(visit, kind) is None
    assert why_not(visit, kind, now=NINE_ON_TUESDAY) == "the visit has begun"
    mark_arrived(appointment=visit, by=front_desk, now=NINE_ON_TUESDAY - timedelta(minutes=20))
    assert why_not(visit, kind) == "the patient has arrived"
    Appointment.objects.filter(pk=visit.pk).update(version=2)
    assert why_not(visit, kind) == CHANGED
    cancel_appointment(appointment=visit, by=front_desk, now=NOW)
    assert why_not(visit, kind) == "the visit is canceled"
    assert why_not(visit, "booking_cancelled") is None
    Appointment.objects.filter(pk=visit.pk).update(status="booked", cancelled_at=None)
    assert why_not(visit, "booking_cancelled") == NOT_CANCELLED
    visit.events.all().delete()
    Appointment.objects.filter(pk=visit.pk).delete()
    assert why_not(visit, kind) == "the visit is gone"


def test_reminders_respect_quiet_hours_and_confirmations_do_not():
    assert [find_kind(kind).respects_quiet_hours for kind in KINDS] == [False, True, True]
    assert not find_kind("booking_cancelled").respects_quiet_hours


@pytest.mark.parametrize(
    "day", [date(2026, 12, 1), date(2027, 3, 14), date(2027, 3, 13), date(2026, 11, 1), date(2027, 11, 7)]
)
def test_page_mail_and_calendar_agree_on_the_time_when_the_clocks_change_too(client, evaluation, clinic, day):
    OpeningHours.objects.filter(therapist__services=evaluation, weekday=0).update(weekday=day.weekday())
    evaluation.minimum_notice_minutes = 0
    evaluation.horizon_days = 30
    starts_at = datetime(day.year, day.month, day.day, 9, tzinfo=clinic.zone).astimezone(UTC)
    booked_at = starts_at - timedelta(days=3)
    visit = book(evaluation, starts_at=starts_at, now=booked_at)
    with time_machine.travel(booked_at, tick=False):
        mail = email(visit, now=booked_at)
    _, event = event_of(mail.calendar)
    local = event["dtstart"].dt
    assert local.astimezone(UTC) == starts_at
    assert (event["dtend"].dt - local) == timedelta(minutes=45)
    assert (local.hour, local.minute, local.date()) == (9, 0, day)
    words = f"{local:%A, %B} {local.day}, 9:00 AM {starts_at.astimezone(clinic.zone):%Z}"
    with time_machine.travel(booked_at, tick=False):
        page = text_of(client.get(visit_path(visit, now=booked_at)))
    assert words in page
    assert words in mail.text
    assert words in words_of(mail.html)


def test_calendar_file_on_the_page_equals_the_one_in_the_mail(client, evaluation):
    visit = book(evaluation)
    with time_machine.travel(NOW, tick=False):
        response = client.get(visit_path(visit, now=NOW) + "visit.ics")
    assert response["Content-Type"].startswith("text/calendar")
    assert response.content == email(visit).calendar


def test_calendar_cancellation_replaces_the_invitation(evaluation, clinic, settings):
    visit = book(evaluation)
    request, event = event_of(email(visit).calendar)
    assert (request["method"], event["status"], event["sequence"]) == ("REQUEST", "CONFIRMED", 0)
    assert event["organizer"] == f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}" != f"mailto:{clinic.email}"
    assert event["attendee"] == "mailto:alice@example.com"
    assert "alice runner" not in email(visit).calendar.decode().lower()  # not even her own name is mailed
    assert event["dtstamp"].dt == NOW
    cancel_appointment(appointment=visit, now=NOW)
    cancel, gone = event_of(email(visit, "booking_cancelled").calendar)
    assert (cancel["method"], gone["status"], gone["sequence"]) == ("CANCEL", "CANCELLED", 1)
    assert gone["uid"] == event["uid"]


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Europe/London"])
@pytest.mark.parametrize("starts_at", [NINE_ON_TUESDAY, datetime(2027, 7, 1, 14, tzinfo=UTC)])
def test_zone_rules_in_the_calendar_file_match_the_zone(evaluation, clinic, zone, starts_at):
    """By the time zone rules in the file alone, the event's local time is the booked instant."""
    visit = book(evaluation)
    visit.starts_at, visit.ends_at = starts_at, starts_at + timedelta(minutes=45)
    clinic.time_zone = zone
    calendar, event = event_of(visit_calendar(appointment=visit, clinic=clinic, now=NOW))
    rules = calendar.walk("VTIMEZONE")[0]
    assert rules["tzid"] == zone
    local = starts_at.astimezone(clinic.zone).replace(tzinfo=None)
    assert event["dtstart"].dt.replace(tzinfo=None) == local
    in_force = max((rule for rule in rules.subcomponents if rule["dtstart"].dt <= local), key=lambda r: r["dtstart"].dt)
    assert (local - in_force["tzoffsetto"].td).replace(tzinfo=UTC) == starts_at


def test_calendar_file_has_the_zones_summer_time_changes(evaluation, clinic):
    calendar, _ = event_of(visit_calendar(appointment=book(evaluation), clinic=clinic, now=NOW))
    onsets = {rule["tzname"]: rule["dtstart"].dt for rule in calendar.walk("VTIMEZONE")[0].subcomponents}
    assert onsets == {"EST": datetime(2026, 11, 1, 2), "EDT": datetime(2027, 3, 14, 2)}
