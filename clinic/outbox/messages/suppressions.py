"""The suppression list: bounces, complaints, unsubscribing and subscribing again."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from clinic.outbox.messages.mail import one_click_headers
from clinic.outbox.models import Channel, Message, State, Suppression
from clinic.practice.access.links import issue_link
from clinic.practice.models import LinkPurpose, Patient, Proof
from clinic.practice.values.mail_addresses import normalize_address

logger = logging.getLogger(__name__)

LINK_LASTS = timedelta(days=365)  # readers may unsubscribe from an old email
# Stored reasons for not sending a message to a suppressed address; `text.reason_text` explains them to staff.
REASONS: dict[str, str] = {
    Suppression.Why.BOUNCED: "the address does not take our mail",
    Suppression.Why.COMPLAINED: "the address said our mail was spam",
}


def suppress(*, address: str, why: Suppression.Why, now: datetime, channel: str = Channel.EMAIL) -> Suppression:
    """Add `address` to the suppression list. A bounce or complaint replaces "unsubscribed", never the reverse."""
    found, is_new = Suppression.objects.get_or_create(
        channel=channel, address=normalize_address(address).lower(), defaults={"why": why, "created_at": now}
    )
    if not is_new and found.why == Suppression.Why.UNSUBSCRIBED != why:
        found.why, found.created_at = why, now
        found.save(update_fields=["why", "created_at"])
    return found


def note_bounce(*, address: str, message_id: str, why: Suppression.Why, now: datetime) -> None:
    """Record a bounce or complaint from `address`. `message_id` is the ID of our row, empty if the provider gave none.

    The message changes from sent to failed, which staff see. If the message is unknown, not sent, or to another
    address, only the address is recorded.
    """
    with transaction.atomic():
        suppress(address=address, why=why, now=now)
        if (key := _parse_id(message_id)) is None:
            return
        sent = Message.objects.filter(pk=key, state=State.SENT, patient__email__iexact=normalize_address(address))
        sent.update(state=State.FAILED, reason=REASONS[why], settled_at=now)


def why_unreachable(suppression: Suppression | None, channel: str) -> str | None:
    """Return why no message on `channel` may be sent to a reader with this `suppression`; None if one may."""
    if suppression is None or suppression.why not in REASONS or channel != Channel.EMAIL:
        return None
    return REASONS[suppression.why]


def why_undeliverable(address: str) -> str | None:
    """Return why no email may be sent to `address`; None if one may.

    A complaint gives the same reason as a bounce.
    """
    stopped = Suppression.objects.filter(
        channel=Channel.EMAIL, address=normalize_address(address).lower(), why__in=REASONS
    )
    return REASONS[Suppression.Why.BOUNCED] if stopped.exists() else None


def suppressions_of(messages: Iterable[Message]) -> dict[UUID, Suppression]:
    """Return the suppressions of the readers' addresses or numbers, by message ID. One query."""
    addresses = {
        message.pk: (message.channel, _address(message.patient, message.channel))
        for message in messages
        if message.patient
    }
    rows = Suppression.objects.filter(address__in={address for _, address in addresses.values()})
    found = {(row.channel, row.address): row for row in rows}
    return {pk: found[address] for pk, address in addresses.items() if address in found}


def is_unsubscribed(patient: Patient) -> bool:
    """Whether the email address of `patient` is on the suppression list: unsubscribed, bounced or complained."""
    return _found(patient, Channel.EMAIL).exists()


def unsubscribe(*, patient: Patient, now: datetime) -> None:
    """Stop emails to the address of `patient` that are not about a visit. Idempotent; a no-op without an address."""
    if patient.email:
        suppress(address=patient.email, why=Suppression.Why.UNSUBSCRIBED, now=now)


def subscribe_again(*, patient: Patient) -> None:
    """Undo `unsubscribe`. A bounce or complaint remains on the list until staff delete it."""
    _found(patient, Channel.EMAIL).filter(why=Suppression.Why.UNSUBSCRIBED).delete()


def unsubscribe_headers(patient: Patient, *, now: datetime) -> dict[str, str]:
    """Return headers that unsubscribe `patient` from emails that are not about a visit. Issues a link."""
    return one_click_headers(f"{settings.SITE_URL}{messages_path(patient, now=now)}stop/")


def messages_path(patient: Patient, *, now: datetime) -> str:
    """Return the path of the page on which `patient` chooses their messages. Issues a link.

    Use it only in an email or on a page behind an emailed link, because the link counts as `Proof.MAILED`.
    """
    token = issue_link(
        patient=patient,
        purpose=LinkPurpose.MESSAGES,
        subject_id=patient.pk,
        proof=Proof.MAILED,
        expires_at=now + LINK_LASTS,
        now=now,
    )
    return reverse("outbox:messages", args=[token])


def _found(patient: Patient, channel: str) -> QuerySet[Suppression]:
    return Suppression.objects.filter(channel=channel, address=_address(patient, channel))


def _address(patient: Patient, channel: str) -> str:
    return (patient.email if channel == Channel.EMAIL else patient.phone).lower()


def _parse_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
