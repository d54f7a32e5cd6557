"""Claim due messages: lease each to one worker, and read rules and suppressions once per batch."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Coalesce

from clinic.outbox.messages.message_rules import rules_of
from clinic.outbox.messages.suppressions import suppressions_of
from clinic.outbox.models import Channel, Message, MessageRule, State, Suppression
from clinic.outbox.text.time_limits import LEASE

BATCH = 10


@dataclass(frozen=True)
class ClaimedMessage:
    """A message under this worker's lease. `rule` is None for kinds that staff cannot change."""

    message: Message
    lease_until: datetime
    first_tried_at: datetime  # the time of the claim, if `is_first_try`
    is_first_try: bool
    rule: MessageRule | None
    suppression: Suppression | None


def claim_due_messages(*, now: datetime, limit: int = BATCH, lease: timedelta = LEASE) -> list[ClaimedMessage]:
    """Lease the oldest due messages to the caller, at most `limit`. No other worker can claim them for `lease`.

    A message whose lease has expired, because its worker died, is claimed again, except a text with an attempt. Safe
    under concurrency: each worker locks the rows it claims and skips rows that other workers have locked. A batch is
    sorted by attempts, fewest first, so that a message that kills its worker does not delay the rest of the batch each
    time. Among messages with equally many attempts, texts precede emails.
    """
    due = Message.objects.due(now).select_for_update(skip_locked=True, of=("self",)).select_related("patient")
    token = uuid.uuid4()
    with transaction.atomic():
        messages = sorted(due.order_by("next_attempt_at")[:limit], key=_turn)
        for message in messages:
            message.state, message.lease_until, message.lease_token = State.SENDING, now + lease, token
        Message.objects.filter(pk__in=[message.pk for message in messages]).update(
            state=State.SENDING,
            lease_until=now + lease,
            lease_token=token,
            first_tried_at=Coalesce("first_tried_at", Value(now)),
        )
    rules, suppressions = rules_of(messages), suppressions_of(messages)
    return [
        ClaimedMessage(
            message=message,
            lease_until=now + lease,
            first_tried_at=message.first_tried_at or now,
            is_first_try=message.first_tried_at is None,
            rule=rules.get(message.pk),
            suppression=suppressions.get(message.pk),
        )
        for message in messages
    ]


def _turn(message: Message) -> tuple[int, bool]:
    """Return a sort key: fewest attempts first, then texts, because an email may be skipped once its text was sent."""
    return message.attempts, message.channel != Channel.SMS
