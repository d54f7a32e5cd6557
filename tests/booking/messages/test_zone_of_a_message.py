"""The time zone of a message's quiet hours: the clinic's for a visit in person, that of the booking for a call."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from booking.actions.change import cancel_appointment, move_appointment
from booking.message_kinds.visits.first_reminder import REMINDER_48H
from booking.message_kinds.visits.last_reminder import REMINDER_2H
from booking.messages.names import MOVED, OFFER
from booking.models import OpeningHours
from booking.models.visit_states import UNDO_FOR
from clinic.outbox.messages.planning import resend_message
from clinic.outbox.models import Message, MessageRule
from clinic.practice.models import Patient
from tests.booking.texting import agree, leave_only, mail_of, text_of
from tests.booking.waiting import wait, wait_with
from tests.clinic.letters import fate, sweep
from tests.world import NINE_ON_TUESDAY, NOW, book

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AUCKLAND = "Pacific/Auckland"


def zones(visit):
    return set(Message.objects.filter(subject_id=visit.pk).values_list("time_zone", flat=True))


def test_last_reminder_of_a_visit_in_person_ignores_the_zone_that_a_stranger_gave(evaluation, call, post_office):
    book(call, starts_at=NINE_ON_TUESDAY + 6 * DAY, time_zone="Asia/Tokyo")  # a stranger, with her name and address
    assert Patient.objects.get().time_zone == "Asia/Tokyo"
    visit = book(evaluation, starts_at=NINE_ON_TUESDAY + 2 * HOUR)
    assert zones(visit) == {""}
    leave_only(REMINDER_2H)
    sweep(now=NINE_ON_TUESDAY)  # 11:00 PM in Tokyo
    assert fate(mail_of(visit)) == ("sent", "")


def test_messages_about_a_call_use_the_zone_of_its_booking(call, twilio, post_office):
    visit = book(call, time_zone="America/Los_Angeles")
    other = book(call, starts_at=NINE_ON_TUESDAY + DAY, time_zone="America/Chicago")
    agree(visit.patient)
    assert zones(visit) == {"America/Los_Angeles"}
    assert zones(other) == {"America/Chicago"}
    assert text_of(visit).time_zone == "America/Los_Angeles"
    moved = move_appointment(appointment=visit, starts_at=NINE_ON_TUESDAY + HOUR, now=NOW)
    assert zones(moved) == {"America/Los_Angeles"}
    told_at = NOW + UNDO_FOR
    sweep(now=told_at)
    assert resend_message(mail_of(visit, MOVED), now=told_at).time_zone == "America/Los_Angeles"


def test_messages_about_a_visit_in_person_use_the_clinics_zone(evaluation, meredith):
    OpeningHours.objects.create(therapist=meredith, weekday=1, opens="08:00", closes="09:00")
    visit = book(evaluation, starts_at=NINE_ON_TUESDAY - HOUR, time_zone=AUCKLAND)
    at = mail_of(visit).due_at.astimezone(ZoneInfo("America/New_York"))
    assert f"{at:%a %H:%M}" == "Mon 20:30"


def test_offer_uses_the_zone_of_the_visit_it_would_replace(call, evaluation, post_office):
    far = book(call, starts_at=NINE_ON_TUESDAY + 7 * DAY, name="Walter Waiting", time_zone="America/Los_Angeles")
    wait_with(far)
    wait(call, name="Nora Nozone", time_zone="America/Chicago")
    wait(evaluation, name="Ina Person", time_zone=AUCKLAND)
    freed = book(evaluation)
    cancel_appointment(appointment=freed, now=NOW)
    offers = Message.objects.filter(kind=OFFER).values_list("patient__name", "time_zone")
    assert dict(offers) == {
        "Walter Waiting": "America/Los_Angeles",
        "Nora Nozone": "America/Chicago",
        "Ina Person": "",
    }


@pytest.mark.parametrize("minutes", [90, 240])
def test_reminder_is_sent_before_quiet_hours_when_after_them_is_too_late(evaluation, meredith, post_office, minutes):
    OpeningHours.objects.create(therapist=meredith, weekday=1, opens="08:00", closes="09:00")
    MessageRule.objects.create(kind=REMINDER_48H, minutes=minutes, subject="Soon", text="Soon.")
    visit = book(evaluation, starts_at=NINE_ON_TUESDAY - HOUR)
    leave_only(REMINDER_48H)
    mail = mail_of(visit, REMINDER_48H)
    assert mail.due_at == NINE_ON_TUESDAY - 12 * HOUR - HOUR / 2  # 8:30 PM
    sweep(now=mail.due_at)
    assert fate(mail) == ("sent", "")


def test_reminder_delayed_into_the_night_is_sent_in_quiet_hours(evaluation, meredith, post_office):
    OpeningHours.objects.create(therapist=meredith, weekday=1, opens="07:00", closes="09:00")
    visit = book(evaluation, starts_at=NINE_ON_TUESDAY - 2 * HOUR)
    leave_only(REMINDER_2H)
    sweep(now=NINE_ON_TUESDAY - 7 * HOUR)  # 2:00 AM; quiet hours end an hour after the visit begins
    assert fate(mail_of(visit)) == ("sent", "")
