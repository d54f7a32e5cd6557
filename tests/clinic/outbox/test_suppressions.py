"""The suppression list: bounces and complaints by signed webhook, and unsubscribing."""

import hashlib
import hmac
import json
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.env import parse_email_url
from clinic.outbox.messages.suppressions import REASONS, is_unsubscribed, suppress, unsubscribe, unsubscribe_headers
from clinic.outbox.models import Message, State, Suppression
from tests.clinic.letters import fate, register_letter, sweep
from tests.factories import ClinicFactory, MessageFactory, PatientFactory
from tests.world import NOON

pytestmark = pytest.mark.django_db
KEY = "key-from-mailgun"


@pytest.fixture
def notes(letter_kinds):
    register_letter("note", is_about_visit=False)


def use_provider(settings, url, key=KEY):
    settings.ENV = replace(settings.ENV, email=parse_email_url(url), email_webhook_key=key)


def mailgun_event(message, *, address=None, event="failed", severity="permanent", reason="bounce", key=KEY):
    signature = hmac.new(key.encode(), b"1700000000token", hashlib.sha256).hexdigest()
    return {
        "signature": {"timestamp": "1700000000", "token": "token", "signature": signature},
        "event-data": {
            "event": event,
            "severity": severity,
            "reason": reason,
            "id": "1",
            "timestamp": 1700000000.0,
            "recipient": address or message.patient.email,
            "user-variables": {"message": str(message.pk)},
            "message": {"headers": {"message-id": "1@x"}},
        },
    }


def post(client, path, data, **headers):
    return client.post(path, json.dumps(data), content_type="application/json", headers=headers)


def sent_message(**changes):
    return MessageFactory(state=State.SENT, settled_at=NOON, **changes)


def test_a_hard_bounce_suppresses_the_address_and_shows_the_message_as_failed(client, settings):
    use_provider(settings, "mailgun://key@mg.clinic.example")
    message = sent_message()
    assert post(client, "/messages/mail/mailgun/", mailgun_event(message)).status_code == 200
    assert fate(message) == ("failed", REASONS["bounced"])
    assert Suppression.objects.get().address == message.patient.email
    assert post(client, "/messages/mail/mailgun/", mailgun_event(message)).status_code == 200  # reported twice
    assert Suppression.objects.count() == 1


def test_complaint_suppresses_the_address_and_harmless_events_do_not(client, settings):
    use_provider(settings, "mailgun://key@mg.clinic.example")
    message = sent_message()
    for harmless in ({"severity": "temporary"}, {"event": "delivered"}, {"event": "opened"}):
        assert post(client, "/messages/mail/mailgun/", mailgun_event(message, **harmless)).status_code == 200
    assert not Suppression.objects.exists()
    post(client, "/messages/mail/mailgun/", mailgun_event(message, event="complained"))
    assert Suppression.objects.get().why == "complained"


def test_webhook_changes_nothing_when_it_is_not_signed_by_the_provider(client, settings):
    use_provider(settings, "mailgun://key@mg.clinic.example")
    message = sent_message()
    assert post(client, "/messages/mail/mailgun/", mailgun_event(message, key="guessed")).status_code == 400
    for garbage in ([], {}, {"signature": 1}, "text", {"signature": {}}):
        assert post(client, "/messages/mail/mailgun/", garbage).status_code == 400
    assert client.post("/messages/mail/mailgun/", b"\xff", content_type="application/json").status_code == 400
    assert not Suppression.objects.exists()
    assert fate(message)[0] == "sent"


def test_webhook_of_an_unused_provider_is_a_404(client, settings):
    assert post(client, "/messages/mail/mailgun/", {}).status_code == 404
    use_provider(settings, "postmark://token@api", key="")
    assert post(client, "/messages/mail/postmark/", {}).status_code == 404


def test_postmark_webhook_requires_the_configured_password(client, settings):
    use_provider(settings, "postmark://token@api", key="bounces:pass")
    message = sent_message()
    event = {
        "RecordType": "Bounce",
        "Type": "HardBounce",
        "ID": 1,
        "MessageID": "m",
        "Email": message.patient.email,
        "BouncedAt": "2026-12-01T17:00:00Z",
        "Metadata": {"message": str(message.pk)},
    }
    assert post(client, "/messages/mail/postmark/", event).status_code == 400
    right = "Basic " + b64encode(b"bounces:pass").decode()
    assert post(client, "/messages/mail/postmark/", event, authorization=right).status_code == 200
    assert fate(message)[0] == "failed"


def test_bounce_fails_no_message_when_the_message_has_another_recipient(client, settings):
    use_provider(settings, "mailgun://key@mg.clinic.example")
    alices = sent_message()
    post(client, "/messages/mail/mailgun/", mailgun_event(alices, address="mallory@example.com"))
    assert fate(alices)[0] == "sent"
    assert Suppression.objects.get().address == "mallory@example.com"


def test_nothing_is_sent_to_a_bounced_address_and_staff_see_the_message_as_failed(letter_kinds, post_office):
    message = MessageFactory(patient=PatientFactory(email="Alice@Example.com"))
    suppress(address="alice@example.com", why=Suppression.Why.BOUNCED, now=NOON)
    assert sweep() == 0
    assert fate(message) == ("failed", REASONS["bounced"])
    assert post_office.mails == []


def test_unsubscribed_patient_gets_only_messages_about_a_visit(notes, post_office):
    alice = PatientFactory()
    note, letter = MessageFactory(kind="note", patient=alice), MessageFactory(patient=alice)
    suppress(address=alice.email, why=Suppression.Why.UNSUBSCRIBED, now=NOON)
    assert sweep() == 1
    assert fate(letter)[0] == "sent"
    state, reason = fate(note)
    assert state == "skipped" and "not about a visit" in reason


def test_patient_without_an_address_who_unsubscribes_does_not_silence_others_without_one(alice):
    alice.email = ""
    unsubscribe(patient=alice, now=NOON)
    assert not is_unsubscribed(alice)


def test_only_messages_that_are_not_about_a_visit_offer_to_unsubscribe(notes, post_office):
    alice = PatientFactory()
    MessageFactory(kind="note", patient=alice)
    MessageFactory(patient=alice)
    sweep()
    offers = [mail["List-Unsubscribe"] for mail in post_office.mails]
    assert sum(offer is not None for offer in offers) == 1
    mail = next(mail for mail in post_office.mails if mail["List-Unsubscribe"])
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "/messages/" in mail["List-Unsubscribe"] and alice.email not in mail["List-Unsubscribe"]


@pytest.fixture
def stop_path():
    ClinicFactory()
    alice = PatientFactory(email="alice@example.com")
    header = unsubscribe_headers(alice, now=timezone.now())["List-Unsubscribe"]
    return "/messages/" + header.strip("<>").partition("/messages/")[2]


def test_opening_the_link_asks_and_one_click_unsubscribes(client, stop_path):
    assert "Stop the notes" in client.get(stop_path).content.decode()
    assert not Suppression.objects.exists()
    assert client.post(stop_path, {"List-Unsubscribe": "One-Click"}).status_code == 204
    assert Suppression.objects.get().why == "unsubscribed"
    page = client.get(stop_path.removesuffix("stop/"))
    assert "Send them again" in page.content.decode()
    assert client.post(stop_path.replace("/stop/", "/start/")).status_code == 303
    assert not Suppression.objects.exists()
    assert client.get(stop_path.replace("/stop/", "/start/")).status_code == 405


def test_resubscribing_does_not_lift_a_bounce(client, stop_path):
    suppress(address="alice@example.com", why=Suppression.Why.UNSUBSCRIBED, now=NOON)
    suppress(address="ALICE@example.com", why=Suppression.Why.BOUNCED, now=NOON)
    suppress(address="alice@example.com", why=Suppression.Why.UNSUBSCRIBED, now=NOON)
    client.post(stop_path.replace("/stop/", "/start/"))
    assert Suppression.objects.get().why == "bounced"


def test_invalid_unsubscribe_link_is_a_404(client, stop_path):
    assert client.get("/messages/" + "x" * 43 + "/").status_code == 404
    assert client.post("/messages/" + "x" * 43 + "/stop/").status_code == 404


# Alerts to the clinic


def test_clinic_is_alerted_of_failed_messages_once_an_hour_without_names(letter_kinds, post_office):
    ClinicFactory(email="hello@clinic.example")
    for number in range(3):
        patient = PatientFactory()
        suppress(address=patient.email, why=Suppression.Why.BOUNCED, now=NOON)
        MessageFactory(patient=patient, due_at=NOON - timedelta(seconds=number))
    sweep()
    alert = Message.objects.get(kind="staff_message_failed")
    assert sweep(now=alert.due_at) == 1
    mail = post_office.mails[0]
    assert mail["To"] == "hello@clinic.example"
    assert "3 messages" in mail["Subject"]
    assert "Alice" not in mail.as_string() and "@example.com" not in mail.as_string()


def test_failed_alert_raises_no_alert(letter_kinds, post_office):
    ClinicFactory(email="hello@clinic.example")
    alice = PatientFactory()
    suppress(address=alice.email, why=Suppression.Why.BOUNCED, now=NOON)
    MessageFactory(patient=alice)
    sweep()
    post_office.answer_recipient = lambda address: "550 no such user"
    alert = Message.objects.get(kind="staff_message_failed")
    sweep(now=alert.due_at + timedelta(hours=1))
    assert fate(alert)[0] == "failed"
    assert Message.objects.filter(kind="staff_message_failed").count() == 1


def test_today_alone_shows_failures_when_the_clinic_has_no_address(letter_kinds, post_office):
    ClinicFactory(email="")
    patient = PatientFactory()
    suppress(address=patient.email, why=Suppression.Why.BOUNCED, now=NOON)
    MessageFactory(patient=patient)
    sweep()
    alert = Message.objects.get(kind="staff_message_failed")
    sweep(now=alert.due_at)
    state, reason = fate(alert)
    assert state == "skipped" and "no email address" in reason
