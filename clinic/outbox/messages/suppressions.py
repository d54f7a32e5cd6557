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

LINK_LASTS = timedelta(days=365)  # readers may unsubscribe from an old mail
# Why a message to such an address is not sent. Stored, and explained to staff by `text.reason_text`.
REASONS: dict[str, str] = {
    Suppression.Why.BOUNCED: "the address does not take our mail",
    Suppression.Why.COMPLAINED: "the address said our mail was spam",
}


def suppress(*, address: str, why: Suppression.Why, now: datetime, channel: str = Channel.EMAIL) -> Suppression:
    """Stop writing to `address`. A bounce or a complaint outweighs an earlier "unsubscribed", never the reverse."""
    found, is_new = Suppression.objects.get_or_create(
        channel=channel, address=normalize_address(address).lower(), defaults={"why": why, "created_at": now}
    )
    if not is_new and found.why == Suppression.Why.UNSUBSCRIBED != why:
        found.why, found.created_at = why, now
        found.save(update_fields=["why", "created_at"])
    return found


def note_bounce(*, address: str, message_id: str, why: Suppression.Why, now: datetime) -> None:
    """Record a bounce or complaint from `address`; `message_id` is our row's, if the provider returned it.

    The message turns from sent to failed, which staff see. For an unknown message, or one to another address, only the
    address is recorded.
    """
    with transaction.atomic():
        suppress(address=address, why=why, now=now)
        if (key := _parse_id(message_id)) is None:
            return
        sent = Message.objects.filter(pk=key, state=State.SENT, patient__email__iexact=normalize_address(address))
        sent.update(state=State.FAILED, reason=REASONS[why], settled_at=now)


def why_unreachable(suppression: Suppression | None, channel: str) -> str | None:
    """Return why no message may be sent to a reader with this `suppression`; None if one may."""
    if suppression is None or suppression.why not in REASONS or channel != Channel.EMAIL:
        return None
    return REASONS[suppression.why]


def why_undeliverable(address: str) -> str | None:
    """Return why no mail may be sent to `address`: it bounced or complained. None if one may."""
    stopped = Suppression.objects.filter(
        channel=Channel.EMAIL, address=normalize_address(address).lower(), why__in=REASONS
    )
    return REASONS[Suppression.Why.BOUNCED] if stopped.exists() else None


def suppressions_of(messages: Iterable[Message]) -> dict[UUID, Suppression]:
    """Return by message the suppression of its reader's address or number, if there is one. One query."""
    addresses = {
        message.pk: (message.channel, _address(message.patient, message.channel))
        for message in messages
        if message.patient
    }
    rows = Suppression.objects.filter(address__in={address for _, address in addresses.values()})
    found = {(row.channel, row.address): row for row in rows}
    return {pk: found[address] for pk, address in addresses.items() if address in found}


def is_unsubscribed(patient: Patient) -> bool:
    """Whether `patient` gets only mail about visits."""
    return _found(patient, Channel.EMAIL).exists()


def unsubscribe(*, patient: Patient, now: datetime) -> None:
    """Send `patient` only what is about a visit. Idempotent."""
    suppress(address=patient.email, why=Suppression.Why.UNSUBSCRIBED, now=now)


def subscribe_again(*, patient: Patient) -> None:
    """Undo `unsubscribe`. A bounce or a complaint stays until staff lift it."""
    _found(patient, Channel.EMAIL).filter(why=Suppression.Why.UNSUBSCRIBED).delete()


def unsubscribe_headers(patient: Patient, *, now: datetime) -> dict[str, str]:
    """Return the headers with which `patient` unsubscribes from what is not about a visit. Issues a link."""
    return one_click_headers(f"{settings.SITE_URL}{messages_path(patient, now=now)}stop/")


def messages_path(patient: Patient, *, now: datetime) -> str:
    """Return the path of the page on which `patient` chooses what we write; for a mail, or a page behind a mailed link.

    Issues a link.
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
