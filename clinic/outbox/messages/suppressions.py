"""Addresses we do not write to, and what a reader says about it: bounces and complaints, unsubscribing and coming back."""

import logging
import uuid
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from clinic.outbox.messages.kinds import MessageKind
from clinic.outbox.messages.mail import one_click_headers
from clinic.outbox.models import Channel, Message, State, Suppression
from clinic.practice.access.links import issue_link
from clinic.practice.models import LinkPurpose, Patient, Proof
from clinic.practice.values.mail_addresses import normalize_address

logger = logging.getLogger(__name__)

LINK_LASTS = timedelta(days=365)  # somebody may unsubscribe from an old mail
UNDELIVERABLE = (Suppression.Why.BOUNCED, Suppression.Why.COMPLAINED)


def suppress(*, address: str, why: Suppression.Why, now, channel=Channel.EMAIL) -> Suppression:
    """Do not write to `address` any more. A bounce or a complaint outweighs an earlier "unsubscribed", never the reverse."""
    found, is_new = Suppression.objects.get_or_create(
        channel=channel, address=normalize_address(address).lower(), defaults={"why": why, "created_at": now}
    )
    if not is_new and found.why == Suppression.Why.UNSUBSCRIBED != why:
        found.why, found.created_at = why, now
        found.save(update_fields=["why", "created_at"])
    return found


def note_bounce(*, address: str, message_id: str, why: Suppression.Why, now) -> None:
    """The provider says that `address` cannot be written to; `message_id` is our row's, if the provider gave it back.

    The message turns from sent to failed, where staff see it. A message that is unknown, or not about this address,
    changes nothing but the address.
    """
    with transaction.atomic():
        suppress(address=address, why=why, now=now)
        sent = Message.objects.filter(
            pk=_parse_id(message_id), state=State.SENT, patient__email__iexact=normalize_address(address)
        )
        sent.update(state=State.FAILED, reason=f"the address {why.label}", settled_at=now)


def why_unreachable(message: Message, kind: MessageKind) -> str | None:
    """Why nothing at all may go to this reader; None if it may. One query, none after `read_suppressions`."""
    found = _suppression_of(message)
    stops_all = found and found.why in UNDELIVERABLE and message.channel == Channel.EMAIL
    return f"the address {found.get_why_display()}" if stops_all else None


def why_undeliverable(address: str) -> str | None:
    """Why no mail may go to `address`: it bounced, or its reader called our mail spam. None if it may."""
    stopped = Suppression.objects.filter(
        channel=Channel.EMAIL, address=normalize_address(address).lower(), why__in=UNDELIVERABLE
    )
    return "the address does not take our mail" if stopped.exists() else None


def has_unsubscribed(message: Message) -> bool:
    """Whether the reader wants nothing that is not about a visit. One query, none after `read_suppressions`."""
    return _suppression_of(message) is not None


def read_suppressions(messages: list[Message]) -> None:
    """Let each message know as its `suppression` whether its address is one we do not write to. One query for all."""
    addresses = {_address(message.patient, message.channel) for message in messages if message.patient}
    found = {(row.channel, row.address): row for row in Suppression.objects.filter(address__in=addresses)}
    for message in messages:
        address = _address(message.patient, message.channel) if message.patient else None
        message.suppression = found.get((message.channel, address))


def _suppression_of(message: Message) -> Suppression | None:
    if not hasattr(message, "suppression"):
        read_suppressions([message])
    return message.suppression


def is_unsubscribed(patient: Patient) -> bool:
    """Whether `patient` gets no mail but that about visits."""
    return _found(patient, Channel.EMAIL).exists()


def unsubscribe(*, patient: Patient, now) -> None:
    """Send `patient` nothing but what is about a visit. Twice is once."""
    suppress(address=patient.email, why=Suppression.Why.UNSUBSCRIBED, now=now)


def subscribe_again(*, patient: Patient) -> None:
    """Undo `unsubscribe`. A bounce or a complaint stays until staff lift it."""
    _found(patient, Channel.EMAIL).filter(why=Suppression.Why.UNSUBSCRIBED).delete()


def unsubscribe_headers(patient: Patient, *, now) -> dict[str, str]:
    """The headers by which `patient` ends everything that is not about a visit. Issues a link."""
    return one_click_headers(f"{settings.SITE_URL}{messages_path(patient, now=now)}stop/")


def messages_path(patient: Patient, *, now) -> str:
    """The path of the page on which `patient` chooses what we write; for a mail, or a page behind a mailed link. Issues a link."""
    token = issue_link(
        patient=patient,
        purpose=LinkPurpose.MESSAGES,
        subject_id=patient.pk,
        proof=Proof.MAILED,
        expires_at=now + LINK_LASTS,
        now=now,
    )
    return reverse("outbox:messages", args=[token])


def _found(patient: Patient, channel):
    return Suppression.objects.filter(channel=channel, address=_address(patient, channel))


def _address(patient: Patient, channel) -> str:
    return (patient.email if channel == Channel.EMAIL else patient.phone).lower()


def _parse_id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except (ValueError, TypeError, AttributeError):
        return None
