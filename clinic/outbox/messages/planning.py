"""Plan, withdraw, cancel and resend messages. `sending` claims and sends those that are due."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from celery import current_app
from django.db import transaction

from clinic.outbox.models import SETTLED, Channel, Message, State, later_copies
from clinic.practice.models import Patient

logger = logging.getLogger(__name__)

SWEEP = "clinic.outbox.tasks.send_due"  # by name, since the task is on a floor above
# A patient waits for the response meanwhile.
BROKER_PATIENCE = {"socket_connect_timeout": 1, "socket_timeout": 1, "max_retries": 0, "interval_start": 0}


class MessageNotWaiting(Exception):
    """The message is being sent, or is settled."""


class MessageNotSettled(Exception):
    """The message is waiting or being sent."""


class TooLateToSend(Exception):
    """The message is past its `not_after`."""


class SentAgainAlready(MessageNotSettled):
    """A later copy of the message exists; only the newest can be sent again."""


def plan_message(**what: Any) -> Message:
    """Plan one message; the arguments are those of `draft_message`. Returns the existing one if it was planned before."""
    draft = draft_message(**what)
    plan_messages([draft])
    return Message.objects.get(dedupe_key=draft.dedupe_key)


def plan_messages(drafts: list[Message]) -> None:
    """Insert `drafts` in the caller's transaction; one query.

    Idempotent: the same kind for the same version of the same row is planned once. If one is due now, the sweep is woken
    on commit. Raises IntegrityError for one whose `not_after` is not after its `due_at`.
    """
    Message.objects.bulk_create(drafts, ignore_conflicts=True)
    if any(draft.due_at <= draft.created_at for draft in drafts):
        transaction.on_commit(wake_sweep)


def draft_message(
    *,
    kind: str,
    subject_id: UUID,
    version: int,
    patient: Patient | None,
    due_at: datetime,
    not_after: datetime,
    now: datetime,
    channel: str = Channel.EMAIL,
    scope: str = "",
    time_zone: str = "",
    told_before: str = "",
) -> Message:
    """Return a message of `kind`, due at `due_at` and not sent after `not_after`; for `plan_messages`.

    `scope` names the rules that hold for it: a service's slug. `time_zone` is the reader's for this message (an IANA name,
    empty for the clinic's): where they are differs from visit to visit. `told_before` is a digest of the planner's own.
    Raises ValueError for an unknown channel.
    """
    return Message(
        kind=kind,
        channel=Channel(channel),
        dedupe_key=f"{kind}:{subject_id}:{version}:{Channel(channel).value}",
        subject_id=subject_id,
        version=version,
        scope=scope,
        patient=patient,
        time_zone=time_zone,
        told_before=told_before,
        due_at=due_at,
        not_after=not_after,
        next_attempt_at=due_at,
        created_at=now,
    )


def withdraw_messages(
    *, subject_id: UUID, reason: str, kinds: Iterable[str] | None = None, spared: Iterable[str] = (), now: datetime
) -> int:
    """Skip, for `reason`, every message about `subject_id` (of `kinds` only, if given, and none of the kinds in `spared`)
    that is still waiting. Returns how many.

    One that is being sent has its relevance checked again just before it is sent.
    """
    waiting = Message.objects.filter(subject_id=subject_id, state=State.WAITING).exclude(kind__in=spared)
    if kinds is not None:
        waiting = waiting.filter(kind__in=kinds)
    return waiting.update(state=State.SKIPPED, reason=reason, settled_at=now)


def postpone_messages(*, subject_ids: Iterable[UUID], until: datetime) -> int:
    """Postpone every waiting message about `subject_ids` to `until` at least. Returns how many.

    A message that would be too late by then is unchanged.
    """
    waiting = Message.objects.filter(subject_id__in=subject_ids, state=State.WAITING)
    later = waiting.filter(next_attempt_at__lt=until, not_after__gt=until)
    return later.update(due_at=until, next_attempt_at=until)


def useful_until(*, due_at: datetime, not_after: datetime) -> datetime:
    """Return the latest useful time of a delayed message: the reader still has half of the planned time."""
    return due_at + (not_after - due_at) / 2


def cancel_message(message: Message, *, now: datetime) -> None:
    """Skip `message` at the request of staff. Raises MessageNotWaiting unless it is waiting."""
    waiting = Message.objects.filter(pk=message.pk, state=State.WAITING)
    if not waiting.update(state=State.SKIPPED, reason="cancelled by staff", settled_at=now):
        raise MessageNotWaiting


def is_resendable(message: Message, *, now: datetime) -> bool:
    """Whether `resend_message` would plan it once more."""
    return message.state in SETTLED and now < message.not_after and not later_copies(message).exists()


def resend_message(message: Message, *, now: datetime) -> Message:
    """Plan `message` once more, due now, as a new row with a Message-ID of its own: a mailbox would drop the same one.

    Its relevance is checked again before it is sent. Raises MessageNotSettled while the first is on its way,
    SentAgainAlready if it has a later copy, TooLateToSend after its `not_after`.
    """
    if message.state not in SETTLED:
        raise MessageNotSettled
    if later_copies(message).exists():
        raise SentAgainAlready
    if now >= message.not_after:
        raise TooLateToSend
    root = message.dedupe_key.partition("#")[0]
    copies = Message.objects.filter(dedupe_key__startswith=f"{root}#").count()
    again = Message(
        kind=message.kind,
        channel=message.channel,
        dedupe_key=f"{root}#{copies + 2}",
        subject_id=message.subject_id,
        version=message.version,
        scope=message.scope,
        patient=message.patient,
        time_zone=message.time_zone,
        told_before=message.told_before,
        due_at=now,
        not_after=message.not_after,
        next_attempt_at=now,
        created_at=now,
    )
    plan_messages([again])
    return Message.objects.get(dedupe_key=again.dedupe_key)


def wake_sweep() -> None:
    """Ask a worker to sweep now. Never raises: if the broker is away, beat starts the next sweep soon."""
    try:
        with current_app.connection(transport_options=BROKER_PATIENCE) as broker:
            current_app.send_task(SWEEP, connection=broker, retry=False, ignore_result=True, expires=30)
    except Exception as error:  # the visit is booked and the message planned, with or without the broker
        logger.warning("no worker was woken, beat will: %s", type(error).__name__)
