"""Signed webhook calls with values that no column can hold: refused or ignored, never a server error."""

import json
import uuid
from base64 import b64encode
from dataclasses import replace

import pytest
from twilio.request_validator import RequestValidator

from clinic.env import parse_email_url, parse_sms_url
from clinic.outbox.models import InboundText, Suppression
from tests.factories import ClinicFactory
from tests.garbage import GARBAGE

pytestmark = pytest.mark.django_db
TEXT = {"From": "+16035550177", "Body": "Hello", "MessageSid": "SM1", "NumMedia": "0"}
STATUS = {"MessageStatus": "failed", "ErrorCode": "30003", "MessageSid": "SM1"}


@pytest.fixture(autouse=True)
def _providers(settings):
    ClinicFactory()
    texts = parse_sms_url("twilio://AC0123456789:secret-token@16035550100")
    email = parse_email_url("postmark://token@api")
    settings.ENV = replace(settings.ENV, texts=texts, email=email, email_webhook_key="user:password")


def by_twilio(client, settings, path, form):
    signature = RequestValidator("secret-token").compute_signature(settings.SITE_URL + path, form)
    return client.post(path, form, headers={"X-Twilio-Signature": signature})


def by_postmark(client, event):
    proof = "Basic " + b64encode(b"user:password").decode()
    return client.post(
        "/messages/mail/postmark/", json.dumps(event), content_type="application/json", headers={"Authorization": proof}
    )


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("garbage", GARBAGE)
def test_text_with_garbage_is_stored_or_refused(client, settings, name, garbage):
    answer = by_twilio(client, settings, "/messages/texts/twilio/", TEXT | {name: garbage})
    assert answer.status_code in (200, 400)
    assert InboundText.objects.count() == (answer.status_code == 200)


@pytest.mark.parametrize("garbage", GARBAGE)
def test_delivery_report_with_garbage_is_accepted(client, settings, garbage):
    path = f"/messages/texts/twilio/{uuid.uuid4()}/"
    for name in STATUS:
        assert by_twilio(client, settings, path, STATUS | {name: garbage}).status_code == 204


@pytest.mark.parametrize("garbage", [*GARBAGE, "\ud800", "a@" + "b" * 300 + ".example"])
def test_bounce_with_garbage_stores_no_oversized_address(client, garbage):
    event = {"RecordType": "Bounce", "Type": "HardBounce", "TypeCode": 1, "ID": 1, "Email": "bob@example.com"}
    event |= {"BouncedAt": "2026-12-01T17:00:00Z", "Metadata": {"message": str(uuid.uuid4())}}
    for spoilt in ({"Email": garbage}, {"Metadata": {"message": garbage}}, {"Type": garbage}, {"BouncedAt": garbage}):
        assert by_postmark(client, event | spoilt).status_code in (200, 400)
    assert all(len(one.address) <= 254 for one in Suppression.objects.all())
