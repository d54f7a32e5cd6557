"""Replies to texts: a Y or C applies to the right visit, STOP ends texts, and all other replies reach a person."""

from datetime import timedelta

import pytest
import time_machine

from booking.actions.change import cancel_appointment, move_appointment
from booking.message_kinds.visits.last_reminder import REMINDER_2H
from booking.messages.names import CANCELLED, MOVED
from clinic.outbox.models import InboundText, Message, TextConsent
from clinic.outbox.text.gsm import LIMIT, length, to_gsm
from clinic.practice.models import Patient
from tests.booking.texting import ALICES, AT_ELEVEN, DUE, WEBHOOK, agree, leave_only, reply, text_of
from tests.clinic.letters import fate, sweep
from tests.world import NINE_ON_TUESDAY, book

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def visit(evaluation, twilio, post_office):
    """Alice's visit at 11:00. A text has just reminded her of it."""
    appointment = book(evaluation, starts_at=AT_ELEVEN)
    agree(appointment.patient)
    leave_only(REMINDER_2H)
    sweep(now=DUE)
    return appointment


@pytest.fixture
def text_back(client, settings):
    """Return a function that texts the clinic's number some minutes after the reminder and returns the reply."""

    def send(text, *, minutes=1, phone=ALICES, **more):
        with time_machine.travel(DUE + minutes * MINUTE, tick=False):
            response = reply(client, settings, text, phone, **more)
        assert response.status_code == 200
        return response.content.decode().partition("<Message>")[2].partition("</Message>")[0]

    return send


def is_confirmed(visit):
    visit.refresh_from_db()
    return visit.confirmed_at is not None


def kept():
    return [text.words for text in InboundText.objects.order_by("received_at")]


# Y and C


@pytest.mark.parametrize("words", ["y", "Yes please!", "👍", "“Yep”"])
def test_yes_confirms_the_visit_that_the_text_asked_about(visit, text_back, words):
    assert text_back(words) == "Thank you. See you Tuesday, December 1, 11:00 AM EST."
    assert is_confirmed(visit)
    assert kept() == []


def test_c_is_answered_with_the_link_and_cancels_nothing(visit, text_back):
    said = text_back("C")
    assert "/not-coming/" in said
    assert length(to_gsm(said)) <= LIMIT
    visit.refresh_from_db()
    assert visit.status == "booked"
    assert kept() == []


def test_yes_confirms_the_visit_asked_about_and_not_one_of_another_patient_with_that_phone(
    evaluation, twilio, post_office, text_back
):
    alices = book(evaluation, starts_at=AT_ELEVEN)
    bobs = book(evaluation, starts_at=NINE_ON_TUESDAY, name="Bob Runner")
    for one in (alices, bobs):
        agree(one.patient)
    Message.objects.exclude(pk=text_of(alices).pk).delete()  # Bob was sent nothing yet
    sweep(now=DUE)
    assert "11:00 AM" in text_back("Y")
    assert is_confirmed(alices) and not is_confirmed(bobs)


def test_yes_confirms_the_visit_that_was_asked_about_last(evaluation, twilio, post_office, text_back):
    bobs = book(evaluation, starts_at=AT_ELEVEN - DAY, name="Bob Runner")
    alices = book(evaluation, starts_at=AT_ELEVEN)
    for one in (bobs, alices):
        agree(one.patient)
    leave_only(REMINDER_2H)
    sweep(now=DUE - DAY)
    text_back("Y", minutes=-24 * 60 + 10)
    assert is_confirmed(bobs) and not is_confirmed(alices)
    sweep(now=DUE)
    text_back("Y")
    assert is_confirmed(alices)


def test_yes_confirms_no_visit_when_two_patients_with_one_phone_were_asked_at_once(
    evaluation, twilio, post_office, front_desk, text_back
):
    visits = [book(evaluation, starts_at=AT_ELEVEN + DAY), book(evaluation, starts_at=AT_ELEVEN, name="Bob Runner")]
    for one in visits:
        agree(one.patient)
    Message.objects.all().delete()
    for one in visits:  # the therapist is ill
        move_appointment(appointment=one, starts_at=one.starts_at + 2 * DAY, by=front_desk, now=DUE)
    sweep(now=DUE + 3 * MINUTE)
    assert len(twilio.texts) == 2
    for words in ("Y", "C"):
        said = text_back(words)
        assert "December" not in said and "/visits/" not in said
    assert [is_confirmed(one) for one in visits] == [False, False]
    assert kept() == ["Y", "C"]


def test_yes_to_the_news_of_a_move_confirms_the_new_time(visit, front_desk, text_back):
    move_appointment(appointment=visit, starts_at=AT_ELEVEN + DAY, by=front_desk, now=DUE + MINUTE)
    sweep(now=DUE + 4 * MINUTE)
    assert fate(text_of(visit, MOVED)) == ("sent", "")
    assert "Wednesday, December 2, 11:00 AM" in text_back("Y", minutes=2 * 60)
    assert is_confirmed(visit)


def test_yes_after_the_visit_was_moved_by_link_confirms_nothing_and_reaches_a_person(visit, text_back):
    move_appointment(appointment=visit, starts_at=AT_ELEVEN + 2 * DAY, by=None, now=DUE - DAY)
    assert "December" not in text_back("Y")
    assert not is_confirmed(visit)
    assert kept() == ["Y"]


def test_yes_to_a_cancellation_mentions_no_visit(visit, front_desk, text_back):
    cancel_appointment(appointment=visit, by=front_desk, now=DUE + MINUTE)
    sweep(now=DUE + 5 * MINUTE)
    assert fate(text_of(visit, CANCELLED)) == ("sent", "")
    assert "We got your text" in text_back("Y", minutes=90)
    assert kept() == ["Y"]


def test_yes_without_consent_to_texts_confirms_nothing(evaluation, twilio, text_back):
    visit = book(evaluation, starts_at=AT_ELEVEN)
    assert "We got your text" in text_back("Y")
    assert not is_confirmed(visit)


def test_yes_confirms_nothing_when_the_patients_number_changed_after_the_text(
    evaluation, twilio, post_office, text_back
):
    """The text went to the patient's old number. Their number is now ALICES, with a new consent."""
    visit = book(evaluation, starts_at=AT_ELEVEN, phone="+16035550177")
    agree(visit.patient)
    leave_only(REMINDER_2H)
    sweep(now=DUE)
    Patient.objects.update(phone=ALICES)
    visit.refresh_from_db()
    agree(visit.patient, now=DUE + MINUTE)
    for phone in (ALICES, "+16035550177"):
        text_back("Y", minutes=2, phone=phone)
    assert not is_confirmed(visit)


# STOP, START and HELP


@pytest.mark.parametrize("words", [" Stop. ", "STOP!", "Opt out", "stop all", "please stop", "“Stop”", "cancel"])
def test_stop_ends_texts_at_once_however_it_is_typed(visit, text_back, words):
    assert text_back(words) == ""
    assert not TextConsent.objects.filter(withdrawn_at=None).exists()
    assert kept() == (["cancel"] if words == "cancel" else [])  # "cancel" may have meant the visit


def test_start_resumes_texts_with_the_wording_of_the_earlier_consent(visit, text_back):
    agreed = TextConsent.objects.get().wording
    for minutes in (1, 2):
        text_back("STOP", minutes=minutes)
        text_back("START", minutes=minutes)
        assert TextConsent.objects.get(withdrawn_at=None).wording == f"START: {agreed}"
    text_back("START", phone="+16035550000")
    assert TextConsent.objects.filter(withdrawn_at=None).count() == 1


def test_help_is_answered_with_both_phone_numbers_and_shown_to_staff(visit, text_back):
    said = text_back("HELP")
    assert "(603) 555-0123" in said and "911" in said and "STOP" in said
    assert kept() == ["HELP"]


# Everything else


@pytest.mark.parametrize("words", ["numb all over, cannot pee", "running 15 min late", "", "Yes but I am late"])
def test_other_text_is_stored_and_answered_with_the_phone_and_emergency_numbers(visit, text_back, words):
    said = text_back(words)
    assert "(603) 555-0123" in said and "call 911" in said
    assert length(to_gsm(said)) <= LIMIT
    assert kept() == [words]


def test_the_answer_is_the_same_whether_a_number_is_known_or_not(visit, text_back):
    assert text_back("Is Alice there?", phone="+16035550000") == text_back("Is Alice there?")


def test_number_is_answered_once_an_hour_to_avoid_loops_with_robots(visit, text_back):
    said = [bool(text_back("We got your text.", minutes=minutes)) for minutes in (0, 1, 30, 59, 60, 61)]
    assert said == [True, False, False, False, True, False]
    assert len(kept()) == 6
    assert text_back("hello?", minutes=61, phone="+16035550000")  # another number is answered
    assert text_back("Y", minutes=62) == "Thank you. See you Tuesday, December 1, 11:00 AM EST."


def test_text_delivered_twice_is_stored_once_and_gets_the_same_answer(visit, text_back):
    first = text_back("running late", MessageSid="SM-twice")
    assert text_back("running late", MessageSid="SM-twice") == first != ""
    assert text_back("and again", MessageSid="SM-more") == ""
    assert text_back("and again", MessageSid="SM-more") == ""
    assert kept() == ["running late", "and again"]


def test_picture_without_text_reaches_a_person(visit, text_back):
    text_back("", NumMedia="2")
    assert kept() == ["[pictures: 2, not kept]"]


def test_webhook_call_without_signature_or_fields_changes_nothing(client, settings, visit):
    assert reply(client, settings, "STOP", token="guessed").status_code == 400
    assert client.post(WEBHOOK, {"From": ALICES, "Body": "STOP"}).status_code == 400
    assert client.get(WEBHOOK).status_code == 405
    assert reply(client, settings, "hello", MessageSid="").status_code == 400
    assert TextConsent.objects.filter(withdrawn_at=None).exists()
    assert kept() == []
