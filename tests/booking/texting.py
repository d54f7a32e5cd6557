"""Helpers that give consent to texts, find planned texts and emails, and call the webhook as Twilio does."""

import itertools
from datetime import timedelta

from twilio.request_validator import RequestValidator

from booking.message_kinds.visits.last_reminder import REMINDER_2H
from clinic.outbox.models import Channel, Message
from clinic.outbox.texts.texting import consent_text, give_consent
from tests.clinic.twilio import TOKEN
from tests.world import NINE_ON_TUESDAY, NOW

ALICES = "+16035550199"
WEBHOOK = "/messages/texts/twilio/"
AT_ELEVEN = NINE_ON_TUESDAY + timedelta(hours=2)
DUE = NINE_ON_TUESDAY  # two hours before a visit at 11:00; also the first minute of the day in which a text may be sent

_numbers = itertools.count(1)


def agree(patient, now=NOW, instead_of_email=False):
    return give_consent(patient=patient, wording=consent_text(patient), instead_of_email=instead_of_email, now=now)


def text_of(visit, kind=REMINDER_2H):
    return Message.objects.filter(subject_id=visit.pk, kind=kind, channel=Channel.SMS).latest("version")


def mail_of(visit, kind=REMINDER_2H):
    return Message.objects.filter(subject_id=visit.pk, kind=kind, channel=Channel.EMAIL).latest("version")


def leave_only(kind):
    """Delete all messages except those of `kind`, so that nothing else is sent."""
    Message.objects.exclude(kind=kind).delete()


def call_webhook(client, settings, path, form, token=TOKEN):
    """Post `form` as Twilio does, signed with the account's token."""
    signature = RequestValidator(token).compute_signature(settings.SITE_URL + path, form)
    return client.post(path, form, headers={"X-Twilio-Signature": signature})


def reply(client, settings, text, phone=ALICES, token=TOKEN, **more):
    """Send a text to the clinic's number through the webhook, with a new ID unless `MessageSid` is given."""
    form = {"From": phone, "To": "+16035550111", "Body": text, "MessageSid": f"SM{next(_numbers)}", **more}
    return call_webhook(client, settings, WEBHOOK, form, token)
