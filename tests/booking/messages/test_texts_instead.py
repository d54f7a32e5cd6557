"""Texts instead of emails: every reader gets exactly one of the two, but both for changes by the clinic."""

import uuid
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine

from booking.actions.change import cancel_appointment, move_appointment, undo_cancellation
from booking.message_kinds.visits.first_reminder import REMINDER_48H
from booking.message_kinds.visits.last_reminder import REMINDER_2H
from booking.messages.names import CANCELLED, MOVED
from booking.models import OpeningHours
from clinic.outbox.messages.kinds import find_kind
from clinic.outbox.messages.planning import resend_message
from clinic.outbox.models import Channel, Message, State, TextConsent
from clinic.outbox.sending.claims import claim_due_messages
from clinic.outbox.sending.hand_over import send_claimed
from clinic.outbox.text.gsm import LIMIT, length
from clinic.outbox.texts.instead_of_mail import LOOK_AGAIN_AFTER, MAIL_GOES, TEXT_WENT
from clinic.outbox.texts.texting import BEYOND_THE_CAPS, ENOUGH_TODAY, UNSURE, give_consent, withdraw_consent
from tests.booking.texting import AT_ELEVEN, DUE, WEBHOOK, agree, call_webhook, leave_only, mail_of, text_of
from tests.clinic.letters import fate, sweep
from tests.world import NINE_ON_TUESDAY, NOW, book

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def visit(evaluation, twilio, post_office):
    """Alice's visit on Tuesday at 11:00, with reminders by text only."""
    appointment = book(evaluation, starts_at=AT_ELEVEN)
    agree(appointment.patient, instead_of_email=True)
    leave_only(REMINDER_2H)
    return appointment


def clock(message):
    return f"{message.due_at.astimezone(NEW_YORK):%a %H:%M}"


def sent_earlier(visit, at):
    """Create a text that was sent to Alice's number at `at`."""
    return Message.objects.create(
        kind=REMINDER_2H,
        channel=Channel.SMS,
        dedupe_key=f"earlier {at}",
        subject_id=uuid.uuid4(),
        patient=visit.patient,
        due_at=at,
        not_after=at + HOUR,
        next_attempt_at=at,
        created_at=NOW,
        state=State.SENT,
        settled_at=at,
    )


# The email is skipped once its text was sent, and only then


def test_email_is_skipped_once_its_text_was_sent(visit, twilio, post_office):
    sweep(now=DUE)
    assert fate(mail_of(visit)) == ("skipped", TEXT_WENT)
    assert (len(twilio.texts), len(post_office.mails)) == (1, 0)


def test_patient_who_chose_texts_and_mail_gets_both(evaluation, twilio, post_office):
    visit = book(evaluation, starts_at=AT_ELEVEN)
    agree(visit.patient)
    leave_only(REMINDER_2H)
    sweep(now=DUE)
    assert (len(twilio.texts), len(post_office.mails)) == (1, 1)


@pytest.mark.parametrize("days_ago", [(0,), (1, 2, 3)], ids=["one a day", "three a week"])
def test_email_is_sent_when_its_text_would_exceed_a_cap(visit, twilio, post_office, days_ago):
    for days in days_ago:
        sent_earlier(visit, DUE - days * DAY - HOUR)
    sweep(now=DUE)
    assert fate(text_of(visit))[0] == "skipped"
    assert fate(mail_of(visit)) == ("sent", "")
    assert (len(twilio.texts), len(post_office.mails)) == (0, 1)


@pytest.mark.parametrize("answer", ["refused", "hang up", "hang"])
def test_email_is_sent_when_the_text_fails_for_good(visit, twilio, post_office, answer):
    twilio.answer = answer
    sweep(now=DUE)
    assert fate(text_of(visit))[0] == "failed"
    assert len(post_office.mails) == 1


def test_email_waits_for_the_provider_and_is_sent_while_it_is_still_useful(visit, twilio, post_office):
    twilio.answer, now, last = "away", DUE, AT_ELEVEN - HOUR  # DUE leaves the reader two hours, `last` leaves one
    while fate(mail_of(visit))[0] == "waiting":
        assert post_office.mails == [] and now <= last + LOOK_AGAIN_AFTER
        sweep(now=now)
        now += MINUTE / 2
    assert fate(mail_of(visit)) == ("sent", "")
    assert fate(text_of(visit)) == ("skipped", MAIL_GOES)
    twilio.answer = "taken"
    sweep(now=now + HOUR)
    assert (len(twilio.texts), len(post_office.mails)) == (0, 1)


def test_withdrawn_text_is_sent_when_its_email_is_refused(visit, twilio, post_office):
    twilio.answer, now = "away", DUE
    post_office.answer_recipient = lambda address: "550 no such box"
    while fate(mail_of(visit))[0] == "waiting":
        sweep(now=now)
        now += MINUTE
    assert fate(mail_of(visit)) == ("failed", "SMTPRecipientsRefused 550")
    twilio.answer = "taken"
    sweep(now=now)
    assert fate(text_of(visit)) == ("sent", "")


def test_only_the_text_is_sent_when_the_provider_is_back_in_time(visit, twilio, post_office):
    twilio.answer = "away"
    sweep(now=DUE)
    assert fate(mail_of(visit)) == ("waiting", "waits for its text")
    twilio.answer = "taken"
    for minutes in range(1, 5):
        sweep(now=DUE + minutes * MINUTE)
    assert fate(mail_of(visit)) == ("skipped", TEXT_WENT)
    assert (len(twilio.texts), len(post_office.mails)) == (1, 0)


def test_email_waits_while_another_worker_is_sending_the_text(visit, twilio, post_office):
    text, mail = claim_due_messages(now=DUE)
    assert (text.message.channel, mail.message.channel) == ("sms", "email")
    assert send_claimed(mail, now=DUE) == State.WAITING
    assert send_claimed(text, now=DUE) == State.SENT
    sweep(now=DUE + LOOK_AGAIN_AFTER)
    assert fate(mail_of(visit)) == ("skipped", TEXT_WENT)
    assert post_office.mails == []


def test_email_is_sent_when_the_worker_died_while_sending_the_text(visit, twilio, post_office):
    text, _ = claim_due_messages(now=DUE)
    Message.objects.filter(pk=text.message.pk).update(attempts=1)
    for minutes in range(8):
        sweep(now=DUE + minutes * MINUTE)
    assert fate(text_of(visit)) == ("failed", UNSURE)
    assert fate(mail_of(visit)) == ("sent", "")


def test_email_is_sent_when_the_patient_has_ended_texts_meanwhile(visit, twilio, post_office):
    withdraw_consent(phone=visit.patient.phone, now=NOW)
    sweep(now=DUE)
    assert (len(twilio.texts), len(post_office.mails)) == (0, 1)


def test_email_that_staff_send_again_is_sent_in_addition_to_its_text(visit, twilio, post_office):
    sweep(now=DUE)
    resend_message(mail_of(visit), now=DUE + MINUTE)
    sweep(now=DUE + MINUTE)
    assert (len(twilio.texts), len(post_office.mails)) == (1, 1)


# When quiet hours of texts come first


def test_reminder_of_an_early_visit_is_texted_the_evening_before(evaluation, meredith, twilio, post_office):
    OpeningHours.objects.create(therapist=meredith, weekday=1, opens="08:00", closes="09:00")
    visit = book(evaluation, starts_at=NINE_ON_TUESDAY - HOUR)
    agree(visit.patient, instead_of_email=True)
    leave_only(REMINDER_2H)
    text, mail = text_of(visit), mail_of(visit)
    assert (clock(text), clock(mail)) == ("Mon 19:30", "Mon 20:30")
    sweep(now=text.due_at)
    sweep(now=mail.due_at)
    assert (len(twilio.texts), len(post_office.mails)) == (1, 0)


def test_text_and_its_email_wait_until_9_am_when_that_is_early_enough(evaluation, twilio, post_office):
    visit = book(evaluation, starts_at=NINE_ON_TUESDAY + HOUR)
    agree(visit.patient, instead_of_email=True)
    leave_only(REMINDER_2H)
    assert (clock(text_of(visit)), clock(mail_of(visit))) == ("Tue 08:00", "Tue 08:00")
    for minutes in (0, 30, 60, 61):
        sweep(now=NINE_ON_TUESDAY - HOUR + minutes * MINUTE)
    assert fate(text_of(visit)) == ("sent", "")
    assert (len(twilio.texts), len(post_office.mails)) == (1, 0)


def test_email_is_sent_before_its_quiet_hours_when_the_text_is_not_sent(evaluation, meredith, twilio, post_office):
    OpeningHours.objects.create(therapist=meredith, weekday=1, opens="08:00", closes="09:00")
    visit = book(evaluation, starts_at=NINE_ON_TUESDAY - HOUR)
    agree(visit.patient, instead_of_email=True)
    leave_only(REMINDER_2H)
    twilio.answer, now = "away", text_of(visit).due_at
    while fate(mail_of(visit))[0] == "waiting":
        sweep(now=now)
        now += 2 * MINUTE
    mail = mail_of(visit)
    assert mail.state == "sent"
    assert f"{mail.settled_at.astimezone(NEW_YORK):%a %H}" == "Mon 20"


# Later reports of the provider


def undelivered(client, settings, text, status="undelivered", **more):
    form = {"MessageSid": "SM1", "MessageStatus": status, "ErrorCode": "30006", "To": "+16035550199"}
    return call_webhook(client, settings, f"{WEBHOOK}{text.pk}/", form, **more)


def test_email_is_sent_when_the_provider_could_not_deliver_the_text(client, settings, visit, twilio, post_office):
    sweep(now=DUE)
    text = text_of(visit)
    assert twilio.texts[-1]["StatusCallback"] == f"{settings.SITE_URL}{WEBHOOK}{text.pk}/"
    with time_machine.travel(DUE + MINUTE, tick=False):
        assert undelivered(client, settings, text, status="delivered").status_code == 204
        assert fate(text) == ("sent", "")
        assert undelivered(client, settings, text, token="guessed").status_code == 400
        for _ in range(2):  # the provider may report it twice
            assert undelivered(client, settings, text).status_code == 204
    assert fate(text) == ("failed", "not delivered 30006")
    sweep(now=DUE + MINUTE)
    assert fate(mail_of(visit)) == ("sent", "")
    assert len(post_office.mails) == 1


def test_failed_delivery_reported_after_the_visit_sends_nothing(client, settings, visit, twilio, post_office):
    sweep(now=DUE)
    with time_machine.travel(AT_ELEVEN + MINUTE, tick=False):
        assert undelivered(client, settings, text_of(visit)).status_code == 204
    assert fate(mail_of(visit)) == ("skipped", TEXT_WENT)


# Changes by the clinic


@pytest.fixture
def both(evaluation, twilio, post_office):
    """Alice's visit at 11:00, with texts instead of emails. No message is waiting."""
    appointment = book(evaluation, starts_at=AT_ELEVEN)
    agree(appointment.patient, instead_of_email=True)
    Message.objects.all().delete()
    return appointment


DAYTIME = NOW + 2 * HOUR


def test_a_visit_that_the_clinic_cancels_is_cancelled_by_text_and_mail(both, twilio, post_office, front_desk):
    sent_earlier(both, DAYTIME - HOUR)  # uses up the daily cap
    cancel_appointment(appointment=both, by=front_desk, now=DAYTIME)
    sweep(now=DAYTIME)
    assert twilio.texts == []  # it can still be undone
    sweep(now=DAYTIME + 3 * MINUTE)
    body = twilio.texts[-1]["Body"]
    assert body == find_kind(CANCELLED).text_message.format(
        clinic="Lakes Running Clinic", day_word="on Tuesday, December 1", time="11:00 AM EST", phone="(603) 555-0123"
    )
    assert "(603) 555-0123" in body
    assert length(body) <= LIMIT
    assert len(post_office.mails) == 1  # it contains the calendar's cancellation


def test_a_visit_that_the_clinic_moves_is_moved_by_text_and_mail(both, twilio, post_office, front_desk):
    sent_earlier(both, DAYTIME - HOUR)
    move_appointment(appointment=both, starts_at=AT_ELEVEN + 3 * HOUR, by=front_desk, now=DAYTIME)
    sweep(now=DAYTIME)
    assert twilio.texts == []  # it may be moved again
    sweep(now=DAYTIME + 3 * MINUTE)
    body = twilio.texts[-1]["Body"]
    assert "to Tuesday, December 1, 2:00 PM EST. Reply Y" in body
    assert length(body) <= LIMIT
    assert len(post_office.mails) == 1  # it contains the new links


def test_changes_by_the_patient_are_emailed_and_not_texted(both, twilio, post_office):
    move_appointment(appointment=both, starts_at=AT_ELEVEN + 3 * HOUR, now=DAYTIME)
    sweep(now=DAYTIME + 5 * MINUTE)
    cancel_appointment(appointment=both, now=DAYTIME + HOUR)
    agree(both.patient, now=DAYTIME + HOUR)  # new consent does not change that
    sweep(now=DAYTIME + 2 * HOUR)
    assert twilio.texts == []
    assert len(post_office.mails) == 2
    assert not Message.objects.filter(channel=Channel.SMS, kind__in=(MOVED, CANCELLED)).exists()


def test_undone_cancellation_sends_no_text_and_no_mail(both, twilio, post_office, front_desk):
    cancel_appointment(appointment=both, by=front_desk, now=DAYTIME)
    undo_cancellation(appointment=both, by=front_desk, now=DAYTIME + MINUTE)
    sweep(now=DAYTIME + 5 * MINUTE)
    assert twilio.texts == []
    assert not [mail for mail in post_office.mails if "Canceled" in mail["Subject"]]


def test_move_by_the_clinic_is_texted_when_a_cancellation_after_it_is_undone(both, twilio, front_desk):
    move_appointment(appointment=both, starts_at=AT_ELEVEN + 3 * HOUR, by=front_desk, now=DAYTIME)
    cancel_appointment(appointment=both, by=front_desk, now=DAYTIME)
    undo_cancellation(appointment=both, by=front_desk, now=DAYTIME + MINUTE)
    sweep(now=DAYTIME + 4 * MINUTE)
    assert ["we moved your visit" in text["Body"] for text in twilio.texts] == [True]


def test_cancellation_beyond_the_caps_of_an_older_consent_is_only_emailed(both, twilio, post_office, front_desk):
    TextConsent.objects.update(wording="Send me texts about my visits. At most one a day and three a week.")
    sent_earlier(both, DAYTIME - HOUR)
    cancel_appointment(appointment=both, by=front_desk, now=DAYTIME)
    sweep(now=DAYTIME + 3 * MINUTE)
    assert fate(text_of(both, CANCELLED)) == ("skipped", ENOUGH_TODAY)
    assert len(post_office.mails) == 1


def test_cancellation_in_the_evening_is_emailed_at_once_and_texted_in_the_morning(
    both, twilio, post_office, front_desk
):
    late = AT_ELEVEN - 14 * HOUR  # 9:00 PM on the evening before
    Message.objects.all().delete()
    cancel_appointment(appointment=both, by=front_desk, now=late)
    sweep(now=late + 3 * MINUTE)
    assert len(post_office.mails) == 1 and twilio.texts == []
    sweep(now=DUE)
    assert len(twilio.texts) == 1  # before the patient leaves home


def test_consent_says_that_changes_may_be_texted_beyond_the_caps(both):
    consent = TextConsent.objects.get(withdrawn_at=None)
    assert BEYOND_THE_CAPS in consent.wording


def test_first_reminder_email_waits_for_its_text_until_the_morning(evaluation, meredith, twilio, post_office):
    OpeningHours.objects.create(therapist=meredith, weekday=1, opens="20:00", closes="23:00")
    visit = book(evaluation, starts_at=NINE_ON_TUESDAY + 11 * HOUR + 30 * MINUTE)  # 8:30 PM
    agree(visit.patient, instead_of_email=True)
    leave_only(REMINDER_48H)
    assert clock(mail_of(visit, REMINDER_48H)) == "Sun 20:30"
    for hours in (0, 12.5, 12.6):
        sweep(now=visit.starts_at - 2 * DAY + hours * HOUR)
    assert (len(twilio.texts), len(post_office.mails)) == (1, 0)
    assert text_of(visit, REMINDER_48H).settled_at.astimezone(NEW_YORK).hour == 9


def test_no_text_is_planned_that_would_have_been_due_before_now(evaluation, meredith, twilio, post_office):
    OpeningHours.objects.create(therapist=meredith, weekday=1, opens="08:00", closes="09:00")
    visit = book(evaluation, starts_at=NINE_ON_TUESDAY - HOUR)
    leave_only(REMINDER_2H)
    eight_pm = NINE_ON_TUESDAY - 13 * HOUR
    give_consent(patient=visit.patient, wording="yes", instead_of_email=True, now=eight_pm)
    sweep(now=eight_pm + HOUR / 2)
    state, reason = fate(text_of(visit))
    assert state == "skipped" and reason.startswith("quiet hours until")
    sweep(now=eight_pm + HOUR / 2 + LOOK_AGAIN_AFTER)
    assert fate(mail_of(visit)) == ("sent", "")
