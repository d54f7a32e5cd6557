"""Texts: consent, at most one a day and three a week, quiet hours, 160 characters, no duplicates, STOP."""

import html
import re
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from booking.message_kinds.visits.first_reminder import REMINDER_48H
from booking.message_kinds.visits.last_reminder import REMINDER_2H
from booking.messages.visit_mail import visit_kinds
from clinic.env import EnvironmentInvalid, parse_sms_url, read_environment
from clinic.outbox.messages.kinds import Sample, find_kind
from clinic.outbox.messages.suppressions import messages_path
from clinic.outbox.models import Channel, Message, State, TextConsent
from clinic.outbox.text.gsm import LIMIT, TextTooLong, fit_text, length, to_gsm
from clinic.outbox.texts import providers as text_providers
from clinic.outbox.texts.texting import (
    ENOUGH_THIS_WEEK,
    ENOUGH_TODAY,
    FORM_CONSENT_TEXT,
    MOST_A_DAY,
    MOST_A_WEEK,
    UNSURE,
    consent_of,
    withdraw_consent,
)
from clinic.practice.models import Patient, User
from clinic.practice.people.patients import accept_patient, update_contact
from tests.booking.texting import ALICES, AT_ELEVEN, DUE, WEBHOOK, agree, text_of
from tests.clinic.letters import fate, sweep, written
from tests.clinic.production import PRODUCTION
from tests.world import NINE_ON_TUESDAY, NOW, book

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(evaluation, twilio, post_office):
    """Alice's visit on Tuesday at 11:00, with consent to texts."""
    appointment = book(evaluation, starts_at=AT_ELEVEN)
    agree(appointment.patient)
    return appointment


# Text of a message


def test_text_shows_the_time_and_how_to_answer(visit, twilio):
    sweep(now=DUE)
    text = twilio.texts[-1]
    assert text["To"] == ALICES and text["From"] == "+16035550111"
    assert text["Body"] == find_kind(REMINDER_2H).text_message.format(
        clinic="Lakes Running Clinic", day_word="today", time="11:00 AM EST", phone="(603) 555-0123"
    )
    assert "today, 11:00 AM EST" in text["Body"] and "Reply C or call (603) 555-0123" in text["Body"]


@pytest.mark.parametrize("kind", [kind for kind in visit_kinds() if kind.text_message], ids=lambda kind: kind.name)
@pytest.mark.parametrize("sample", list(Sample))
def test_every_text_fits_into_one_message_for_every_sample(db, kind, sample):
    text = fit_text(kind.text_message, kind.sample_values(sample))
    assert length(text) <= LIMIT
    assert "STOP" in text and "\n" not in text


def test_letters_outside_the_sms_alphabet_are_replaced():
    assert to_gsm("Wałbrzych’s “Söhne” – naïve 北京") == 'Walbrzych\'s "Söhne" - naive ??'
    assert length("{€}") == 6
    with pytest.raises(TextTooLong):
        fit_text("x" * 161, {"clinic": "Clinic"})


@pytest.mark.parametrize(("room", "name"), [(9, "Lakeside"), (7, "Lakesid"), (6, None)])
def test_clinic_name_is_cut_to_its_shortest_length_and_no_further(room, name):
    template = "{clinic}" + "x" * (LIMIT - room)
    if name is None:
        with pytest.raises(TextTooLong):
            fit_text(template, {"clinic": "Lakeside Running"})
    else:
        assert fit_text(template, {"clinic": "Lakeside Running"}).startswith(f"{name}x")


# Recipients


def test_no_text_is_planned_without_consent(evaluation, twilio):
    book(evaluation)
    assert not Message.objects.filter(channel=Channel.SMS).exists()


def test_consent_is_stored_with_its_wording_and_a_later_one_replaces_it(visit):
    kept = TextConsent.objects.get()
    assert kept.given_at == NOW and "Reply STOP".lower() in kept.wording.lower() and "99" in kept.wording
    agree(visit.patient, now=NOW + timedelta(hours=1))
    kept.refresh_from_db()
    assert kept.withdrawn_at == NOW + timedelta(hours=1)


def test_text_is_skipped_when_consent_was_withdrawn(visit, twilio):
    withdraw_consent(phone=ALICES, now=NOW)
    sweep(now=DUE)
    state, reason = fate(text_of(visit))
    assert state == "skipped" and "not agreed to texts" in reason
    assert twilio.texts == []


def test_texts_go_to_the_patients_current_number_only(visit, twilio):
    visit.patient.phone = "+16035550777"
    visit.patient.save()
    sweep(now=DUE)
    assert twilio.texts == []


def test_consent_applies_only_to_the_number_it_was_given_for(visit, evaluation, twilio):
    patient = Patient.objects.get()
    update_contact(patient, phone="+16035550777", now=NOW)
    assert consent_of(patient) is None
    later = book(evaluation, starts_at=AT_ELEVEN + timedelta(days=1), patient=patient, phone=patient.phone)
    assert not Message.objects.filter(subject_id=later.pk, channel=Channel.SMS).exists(), "none is planned either"
    sweep(now=DUE)
    sweep(now=DUE + timedelta(days=1))
    assert twilio.texts == []
    update_contact(patient, phone=ALICES, now=NOW)
    assert consent_of(patient).phone == ALICES


# Caps and quiet hours


def test_only_one_text_a_day_is_sent(evaluation, visit, twilio):
    for hours in (4, 5):
        book(evaluation, starts_at=NINE_ON_TUESDAY + timedelta(hours=hours))
    Message.objects.exclude(kind=REMINDER_2H).delete()
    sweep(now=DUE)
    sweep(now=DUE + timedelta(hours=3))
    assert len(twilio.texts) == 1
    reasons = set(Message.objects.filter(channel=Channel.SMS, state=State.SKIPPED).values_list("reason", flat=True))
    assert ENOUGH_TODAY in reasons


def test_fourth_text_in_a_week_is_skipped(visit, twilio):
    Message.objects.filter(kind=REMINDER_48H).delete()
    text = text_of(visit)
    for days in (2, 3, 4):
        Message.objects.create(
            kind=REMINDER_2H,
            channel=Channel.SMS,
            dedupe_key=f"earlier {days}",
            subject_id=visit.pk,
            patient=visit.patient,
            due_at=DUE - timedelta(days=days),
            not_after=DUE,
            next_attempt_at=DUE,
            created_at=NOW,
            state=State.SENT,
            settled_at=DUE - timedelta(days=days),
        )
    sweep(now=DUE)
    assert fate(text) == ("skipped", ENOUGH_THIS_WEEK)


def test_no_text_is_sent_before_9_am_or_after_8_pm_in_the_patients_zone(visit, twilio):
    Message.objects.exclude(kind=REMINDER_2H, channel=Channel.SMS).delete()
    text = text_of(visit)
    Message.objects.filter(pk=text.pk).update(next_attempt_at=DUE - timedelta(hours=1))
    sweep(now=DUE - timedelta(minutes=1))
    assert twilio.texts == []
    assert fate(text) == ("waiting", "quiet hours")
    assert text.next_attempt_at == datetime(2026, 12, 1, 14, tzinfo=UTC)
    sweep(now=DUE)
    assert len(twilio.texts) == 1


# When the provider fails


@pytest.mark.parametrize(
    ("answer", "state"),
    [("refused", "failed"), ("away", "waiting"), ("busy", "waiting"), ("hang up", "failed"), ("hang", "failed")],
)
def test_text_is_retried_only_when_it_was_certainly_not_sent(visit, twilio, answer, state, caplog):
    Message.objects.exclude(kind=REMINDER_2H, channel=Channel.SMS).delete()
    twilio.answer = answer
    sweep(now=DUE)
    text = text_of(visit)
    assert fate(text)[0] == state
    if answer.startswith("hang"):
        assert text.reason == UNSURE
        sweep(now=DUE + timedelta(minutes=30))
        assert len(twilio.texts) == 1
    assert ALICES not in written(caplog) and "your visit" not in written(caplog)


def test_text_waits_when_no_provider_is_available(visit, twilio, settings):
    Message.objects.exclude(kind=REMINDER_2H, channel=Channel.SMS).delete()
    twilio.close()
    sweep(now=DUE)
    assert fate(text_of(visit)) == ("waiting", "TextProviderAway")


def test_text_fails_and_is_not_sent_again_when_its_worker_died_while_sending(visit, twilio):

    Message.objects.exclude(kind=REMINDER_2H, channel=Channel.SMS).delete()
    Message.objects.update(state=State.SENDING, attempts=1, lease_until=DUE, lease_token=uuid.uuid4())
    sweep(now=DUE + timedelta(minutes=3))
    assert fate(text_of(visit)) == ("failed", UNSURE)
    assert twilio.texts == []


# The patient's choice, and a site without texts


def test_patient_chooses_texts_on_a_page_that_shows_the_consent(client, visit):
    TextConsent.objects.all().delete()
    path = messages_path(visit.patient, now=timezone.now())
    page = client.get(path).content.decode()
    assert f"{MOST_A_DAY} reminder a day" in page and f"{MOST_A_WEEK} a week" in page
    assert client.post(f"{path}texts/", {"choice": "texts"}).status_code == 303
    assert TextConsent.objects.get(withdrawn_at=None).instead_of_email
    client.post(f"{path}texts/", {"choice": "email"})
    assert not TextConsent.objects.filter(withdrawn_at=None).exists()
    client.post(f"{path}texts/", {"choice": "garbage"})
    assert TextConsent.objects.count() == 1


def test_site_does_not_mention_texts_until_they_are_set_up(client, settings, evaluation):
    settings.ENV = replace(settings.ENV, texts=None)
    visit = book(evaluation)
    path = messages_path(visit.patient, now=timezone.now())
    assert "text" not in client.get(path).content.decode().partition("<main")[2].partition("</main>")[0]
    assert client.post(f"{path}texts/", {"choice": "both"}).status_code == 404
    assert client.post(WEBHOOK, {}).status_code == 404
    agree(visit.patient)
    assert not Message.objects.filter(channel=Channel.SMS).exists()


def test_console_prints_texts_and_is_refused_in_production(settings, capsys):
    settings.ENV = replace(settings.ENV, texts=parse_sms_url("console:"))
    text_providers.text_provider().send(to=ALICES, text="See you.", message_id=uuid.uuid4())
    assert f"[text to {ALICES}] See you." in capsys.readouterr().out
    with pytest.raises(EnvironmentInvalid, match="SMS_URL"):
        read_environment({**PRODUCTION, "SMS_URL": "console:"})
    with pytest.raises(EnvironmentInvalid, match="SMS_URL"):
        read_environment({**PRODUCTION, "SMS_URL": "twilio://AC:token@not-a-number"})


# What staff see and write


@pytest.fixture
def staff(client, clinic, twilio):
    client.force_login(User.objects.create_superuser("frank@clinic.example", name="Frank"))
    return client


OWN_TEXT = "{clinic}: see you {day_word}. STOP ends texts."


def rule(**changes):
    fields = {"kind": REMINDER_2H, "service_slug": "", "channel": "sms", "minutes": "120", "is_active": "on"}
    return {**fields, "subject": "", "text": OWN_TEXT, **changes}


def test_staff_edit_a_text_and_see_a_preview(staff, visit, twilio):
    preview = staff.post("/admin/outbox/messagerule/preview/", rule()).content.decode()
    assert OWN_TEXT.format(clinic="Lakes Running Clinic", day_word="tomorrow") in preview
    assert staff.post("/admin/outbox/messagerule/add/", rule()).status_code == 302
    sweep(now=DUE)
    assert twilio.texts[-1]["Body"] == OWN_TEXT.format(clinic="Lakes Running Clinic", day_word="today")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"text": "x" * 161}, "text"),
        ({"text": "{clinic} " + "x" * 100 + " {place}"}, "text"),
        ({"text": "{nothing}"}, "text"),
        ({"kind": "booking_follow_up"}, "channel"),
        ({"channel": "email"}, "subject"),
    ],
)
def test_text_template_is_refused_when_it_does_not_fit(staff, changes, field):
    page = staff.post("/admin/outbox/messagerule/add/", rule(**changes))
    assert page.status_code == 200
    assert set(page.context["adminform"].form.errors) == {field}
    assert staff.post("/admin/outbox/messagerule/preview/", rule(**changes)).status_code == 200


def test_staff_see_consents_only_when_texts_are_set_up(staff, visit, settings):
    assert "Alice Runner" in staff.get("/admin/outbox/textconsent/").content.decode()
    settings.ENV = replace(settings.ENV, texts=None)
    assert "textconsent" not in staff.get("/admin/").content.decode()
    assert 'value="sms"' not in staff.get("/admin/outbox/messagerule/add/").content.decode()


# Agreeing while booking

FORM = "/book/evaluation/meredith/20261201T1430Z/"


@pytest.fixture
def booking_form(client, evaluation):
    """Return a function that sends the booking form as Alice, on Monday at 10:00."""

    def send(**changes):
        typed = {"name": "Alice Runner", "email": "alice@example.com", "phone": "603 555 0199", "mode": "in_person"}
        with time_machine.travel(NOW, tick=False):
            return client.post(FORM, typed | {"idempotency_key": str(uuid.uuid4())} | changes)

    return send


def test_booking_form_has_an_unchecked_box_for_texts_and_stores_time_and_wording(twilio, booking_form):
    again = booking_form(name="").content.decode()
    box = re.search(r'<input[^>]*name="text_consent"[^>]*>', again)[0]
    assert "checked" not in box and "required" not in box
    assert FORM_CONSENT_TEXT in html.unescape(again)
    assert booking_form(text_consent="on").status_code == 303
    consent = TextConsent.objects.get()
    assert (consent.phone, consent.wording, consent.given_at) == (ALICES, FORM_CONSENT_TEXT, NOW)
    assert not consent.instead_of_email
    assert {text.kind for text in Message.objects.filter(channel=Channel.SMS)} == {REMINDER_48H, REMINDER_2H}


def test_checked_box_for_a_number_not_on_file_gives_no_consent_to_texts(twilio, booking_form, client):
    assert booking_form().status_code == 303
    other = {"phone": "603 555 0777", "text_consent": "on"}
    sent = {"name": "Alice Runner", "email": "alice@example.com", "mode": "in_person"}
    with time_machine.travel(NOW, tick=False):
        key = {"idempotency_key": str(uuid.uuid4())}
        assert client.post(FORM.replace("T1430Z", "T1900Z"), sent | other | key).status_code == 303
    assert Patient.objects.get().phone == ALICES
    assert not TextConsent.objects.exists()
    assert not Message.objects.filter(channel=Channel.SMS).exists()


def test_unchecked_box_gives_no_consent_to_texts(twilio, booking_form):
    assert booking_form().status_code == 303
    assert not TextConsent.objects.exists()
    assert not Message.objects.filter(channel=Channel.SMS).exists()


def test_booking_form_does_not_mention_texts_when_there_is_no_provider(booking_form):
    page = booking_form(name="", text_consent="on").content.decode()
    assert "text_consent" not in page and "texts" not in page
    assert booking_form(text_consent="on").status_code == 303
    assert not TextConsent.objects.exists()


def test_checking_the_box_again_keeps_the_choice_of_texts_instead_of_email(visit, booking_form):
    agree(visit.patient, instead_of_email=True)
    booking_form(text_consent="on")
    accept_patient(Patient.objects.get(is_provisional=True), now=NOW)
    standing = TextConsent.objects.get(withdrawn_at=None)
    assert (standing.patient, standing.instead_of_email) == (visit.patient, True)
