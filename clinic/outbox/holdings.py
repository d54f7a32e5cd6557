"""What the outbox holds of a patient: messages, text consents, texts received, blocked addresses."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.urls import reverse

from clinic.outbox.messages.kinds import kind_title, kinds_hidden_from
from clinic.outbox.models import Channel, InboundText, Message, State, Suppression, TextConsent
from clinic.outbox.sending.refusals import WAS_ERASED
from clinic.outbox.texts.texting import plan_texts_beside_mails, settle_consents
from clinic.practice.models import Patient, User
from clinic.practice.people.own_contact import own_addresses, own_numbers
from clinic.practice.registry.holdings import (
    Holding,
    Line,
    NotNeeded,
    by_column,
    export_columns,
    move_rows,
    register_holding,
)

ERASED = "erased"


def register_holdings() -> None:
    """Register the holdings of this room. Messages move before consents, which plan texts beside them."""
    for holding in (BLOCKED, CONSENTS, RECEIVED, MESSAGES):
        register_holding(holding)


# Messages

_messages = by_column(Message)


def _read_messages(patients: Sequence[Patient], *, by: User, most: int | None, now: datetime) -> Iterable[Line]:
    rows = (
        _messages(patients)
        .exclude(kind__in=kinds_hidden_from(by))
        .annotate(at=Coalesce("settled_at", "due_at"))
        .order_by("-at", "pk")[:most]
    )
    for row in rows:
        url = reverse("admin:outbox_message_change", args=[row.pk])
        channel = "Text" if row.channel == Channel.SMS else "Email"
        yield Line(row.at, f"{channel}, {row.get_state_display()}: {kind_title(row.kind)}", url)


_export_all_messages = export_columns(
    _messages, leave_out=("patient", "lease_token", "lease_until", "told_before", "dedupe_key")
)


def _export_messages(patients: Sequence[Patient], by: User, now: datetime) -> list[dict[str, Any]]:
    hidden = kinds_hidden_from(by)
    return [row for row in _export_all_messages(patients, by, now) if row["kind"] not in hidden]


def _repoint_messages(source: Patient, target: Patient, now: datetime) -> list[str]:
    Message.objects.filter(patient=source, subject_id=source.pk).update(subject_id=target.pk)
    Message.objects.filter(patient=source).update(patient=target)
    return []


def _erase_messages(patients: Sequence[Patient], now: datetime) -> None:
    """Skip what is not sent yet, including what a worker is sending, and overwrite the stored reasons."""
    rows = Message.objects.filter(patient__in=patients)
    rows.filter(state__in=(State.WAITING, State.SENDING)).update(
        state=State.SKIPPED, reason=WAS_ERASED, settled_at=now, lease_until=None, lease_token=None
    )
    rows.exclude(reason="").update(reason=WAS_ERASED)
    rows.update(time_zone="", told_before="")


MESSAGES = Holding(
    model=Message,
    permission="outbox.view_message",
    find=_messages,
    timeline=_read_messages,
    export=_export_messages,
    repoint=_repoint_messages,
    erase=_erase_messages,
    goes="Messages that are not sent yet are not sent. Reasons and time zones.",
    stays={
        "kind": "which message was sent",
        "dedupe_key": "its internal key",
        "scope": "the service whose template it used",
    },
)


# Text consents

_consents = by_column(TextConsent)


def _read_consents(patients: Sequence[Patient], *, by: User, most: int | None, now: datetime) -> Iterable[Line]:
    for row in _consents(patients).annotate(last=Coalesce("withdrawn_at", "given_at")).order_by("-last", "pk")[:most]:
        url = reverse("admin:outbox_textconsent_change", args=[row.pk])
        yield Line(row.given_at, "Agreed to text messages", url)
        if row.withdrawn_at is not None:
            yield Line(row.withdrawn_at, "Ended text messages", url)


def _repoint_consents(source: Patient, target: Patient, now: datetime) -> list[str]:
    standing = TextConsent.objects.filter(patient=source, withdrawn_at=None)
    had = standing.count()
    settle_consents(source, target, now)
    ended = had - standing.count()
    TextConsent.objects.filter(patient=source).update(patient=target)
    plan_texts_beside_mails(target, now)
    return ["The consent to texts ended: the kept patient has another one, or another number."] if ended else []


def _erase_consents(patients: Sequence[Patient], now: datetime) -> None:
    rows = TextConsent.objects.filter(patient__in=patients)
    rows.filter(withdrawn_at=None).update(withdrawn_at=now)
    rows.update(phone=ERASED, wording=ERASED)


CONSENTS = Holding(
    model=TextConsent,
    permission="outbox.view_textconsent",
    find=_consents,
    timeline=_read_consents,
    export=export_columns(_consents, leave_out=("patient",)),
    repoint=_repoint_consents,
    erase=_erase_consents,
    goes="Phone number and wording. A consent that is in force ends.",
)


# Texts received


def _received(patients: Sequence[Patient]) -> QuerySet[InboundText]:
    """Return the texts of these patients, and those from a number that only they have."""
    of_number = Q(patient=None, phone__in=own_numbers(patients))
    return InboundText.objects.filter(Q(patient__in=list(patients)) | of_number)


def _read_received(patients: Sequence[Patient], *, by: User, most: int | None, now: datetime) -> Iterable[Line]:
    for row in by_column(InboundText)(patients).order_by("-received_at", "pk").defer("words")[:most]:
        url = reverse("admin:outbox_inboundtext_change", args=[row.pk])
        yield Line(row.received_at, f"Text message received, {'read' if row.read_at else 'unread'}", url)


def _erase_received(patients: Sequence[Patient], now: datetime) -> None:
    for row in _received(patients).defer("words"):
        row.provider_id, row.phone, row.words = f"{ERASED}-{row.pk}", "", ""
        row.save(update_fields=["provider_id", "phone", "words"])


RECEIVED = Holding(
    model=InboundText,
    permission="outbox.view_inboundtext",
    find=_received,
    timeline=_read_received,
    export=export_columns(_received, leave_out=("patient", "provider_id")),
    repoint=move_rows(InboundText),
    erase=_erase_received,
    goes="What was written, the number, and the provider's ID.",
)


# Blocked addresses


def _blocked(patients: Sequence[Patient]) -> QuerySet[Suppression]:
    """Return the blocks of the addresses and numbers that only these patients have."""
    of_mailbox = Q(channel=Channel.EMAIL, address__in=own_addresses(patients))
    return Suppression.objects.filter(of_mailbox | Q(channel=Channel.SMS, address__in=own_numbers(patients)))


def _read_blocked(patients: Sequence[Patient], *, by: User, most: int | None, now: datetime) -> Iterable[Line]:
    for row in _blocked(patients).order_by("-created_at", "pk")[:most]:
        yield Line(row.created_at, f"Address blocked: {row.get_why_display()}")


def _delete_blocked(patients: Sequence[Patient], now: datetime) -> None:
    _blocked(patients).delete()


BLOCKED = Holding(
    model=Suppression,
    permission="outbox.view_suppression",
    find=_blocked,
    timeline=_read_blocked,
    export=export_columns(_blocked),
    repoint=NotNeeded("a block is of an address, whoever has it"),
    erase=_delete_blocked,
    goes="Blocks of the address and the number, unless another patient has them. If the person comes back with that "
    "address, we email it again.",
)
