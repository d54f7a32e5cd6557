"""Reasons not to send a message.

The reader has no address, is on the suppression list, or may not be texted; or the message's rule is switched off, its
kind is unknown, or it is no longer relevant.
"""

from datetime import datetime

from clinic.outbox.messages.kinds import KindUnknown, MessageKind, find_kind
from clinic.outbox.messages.message_rules import rules_of
from clinic.outbox.messages.suppressions import suppressions_of, why_unreachable
from clinic.outbox.models import Channel, Message, MessageRule, State, Suppression
from clinic.outbox.texts.texting import why_not_texted
from clinic.practice.models import Clinic

NO_ADDRESS = "the patient has no e-mail address"
WAS_ERASED = "the patient's data was erased"
UNKNOWN_KIND = "this kind of message is no longer sent"


def find_refusal(
    message: Message,
    kind: MessageKind,
    *,
    rule: MessageRule | None,
    suppression: Suppression | None,
    clinic: Clinic,
    now: datetime,
) -> tuple[State, str] | None:
    """Return the final state and the reason for a message that must not be sent; None = send.

    Calls the kind's relevance check, which may write.
    """
    if message.patient and message.patient.erased_at is not None:
        return State.SKIPPED, WAS_ERASED
    if message.channel == Channel.EMAIL and message.patient and not message.patient.email:
        return State.SKIPPED, NO_ADDRESS
    if unreachable := why_unreachable(suppression, message.channel):
        return State.FAILED, unreachable
    if unwanted := _why_unwanted(message, kind, rule=rule, suppression=suppression, clinic=clinic, now=now):
        return State.SKIPPED, unwanted
    return None


def why_not_again(message: Message, *, now: datetime) -> str | None:
    """Return why a copy of `message` would not be sent now; None if it would.

    Calls the kind's relevance check, which may write. So call this only in a POST.
    """
    try:
        kind = find_kind(message.kind)
    except KindUnknown:
        return UNKNOWN_KIND
    refusal = find_refusal(
        message,
        kind,
        rule=rules_of([message]).get(message.pk),
        suppression=suppressions_of([message]).get(message.pk),
        clinic=Clinic.objects.current(),
        now=now,
    )
    return refusal[1] if refusal else None


def _why_unwanted(
    message: Message,
    kind: MessageKind,
    *,
    rule: MessageRule | None,
    suppression: Suppression | None,
    clinic: Clinic,
    now: datetime,
) -> str | None:
    if rule is not None and not rule.is_active:
        return "switched off by a rule"
    if message.channel == Channel.SMS and (unwanted := why_not_texted(message, kind, clinic=clinic, now=now)):
        return unwanted
    if not kind.is_about_visit and suppression is not None:
        return "the reader wants nothing that is not about a visit"
    return kind.relevance(message, now)
