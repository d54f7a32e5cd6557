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

SWEEP = "clinic.outbox.tasks.send_due"  # by name, because this module must not import the tasks
# Short limits, because a patient is waiting for the response.
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
    """Plan one message, with the arguments of `draft_message`. Return the existing one if it was planned before."""
    draft = draft_message(**what)
    plan_messages([draft])
    return Message.objects.get(dedupe_key=draft.dedupe_key)


def plan_messages(drafts: list[Message]) -> None:
    """Insert `drafts` in the caller's transaction. One query.

    Idempotent by `dedupe_key`: each kind is planned once per channel for a version of a row, besides the copies that
    `resend_message` plans. Wakes the sweep on commit if a draft is due now. Raises IntegrityError if the `not_after` of
    a draft is not after its `due_at`.
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
    """Return an unsaved message of `kind` for `plan_messages`, due at `due_at` and not sent after `not_after`.

    `scope` is the slug of the service whose rules apply. `time_zone` is the reader's zone (an IANA name; empty for the
    clinic's). It is stored per message, because a patient may be in another zone for another visit. `told_before` is a
    digest of what the reader already knows; only the planning app interprets it. Raises ValueError for an unknown
    channel.
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
    """Skip the waiting messages about `subject_id`, and return how many.

    Only messages of `kinds` (default: all kinds) are skipped, and none of the kinds in `spared`. `reason` is stored.
    A message that is being sent is not skipped here: its relevance is checked again just before it is sent.
    """
    waiting = Message.objects.filter(subject_id=subject_id, state=State.WAITING).exclude(kind__in=spared)
    if kinds is not None:
        waiting = waiting.filter(kind__in=kinds)
    return waiting.update(state=State.SKIPPED, reason=reason, settled_at=now)


def postpone_messages(*, subject_ids: Iterable[UUID], until: datetime) -> int:
    """Postpone the waiting messages about `subject_ids` to `until`, and return how many.

    Messages whose next attempt is later anyway, or that would be too late by then, are unchanged.
    """
    waiting = Message.objects.filter(subject_id__in=subject_ids, state=State.WAITING)
    later = waiting.filter(next_attempt_at__lt=until, not_after__gt=until)
    return later.update(due_at=until, next_attempt_at=until)


def useful_until(*, due_at: datetime, not_after: datetime) -> datetime:
    """Return the latest useful time to send a delayed message: halfway between `due_at` and `not_after`.

    The reader then still has half of the planned time.
    """
    return due_at + (not_after - due_at) / 2


def cancel_message(message: Message, *, now: datetime) -> None:
    """Skip `message` at the request of staff. Raises MessageNotWaiting unless it is waiting."""
    waiting = Message.objects.filter(pk=message.pk, state=State.WAITING)
    if not waiting.update(state=State.SKIPPED, reason="cancelled by staff", settled_at=now):
        raise MessageNotWaiting


def is_resendable(message: Message, *, now: datetime) -> bool:
    """Whether `resend_message` would accept `message`."""
    return message.state in SETTLED and now < message.not_after and not later_copies(message).exists()


def resend_message(message: Message, *, now: datetime) -> Message:
    """Plan a copy of `message`, due now, and return it.

    The copy has its own Message-ID, because a mailbox would drop a second email with the same one. Its relevance is
    checked again before it is sent. Raises MessageNotSettled if `message` is waiting or being sent, SentAgainAlready if
    it has a later copy, TooLateToSend if it is past its `not_after`.
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
    """Ask a worker to sweep now. Never raises: if the broker is unavailable, beat starts the next sweep soon."""
    try:
        with current_app.connection(transport_options=BROKER_PATIENCE) as broker:
            current_app.send_task(SWEEP, connection=broker, retry=False, ignore_result=True, expires=30)
    except Exception as error:  # the visit is booked and the message is planned even without the broker
        logger.warning("no worker was woken, beat will: %s", type(error).__name__)
