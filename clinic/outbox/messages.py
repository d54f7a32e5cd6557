"""Planning, withdrawing and claiming messages. `sending` hands over what was claimed."""

import logging
import uuid
from datetime import timedelta

from celery import current_app
from django.db import transaction
from django.db.models import Q

from .models import Channel, Message, State

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=150)  # longer than one SMTP conversation whose every answer comes just before its time-out
BATCH = 10


def plan_message(*, kind, subject_id, version, patient, due_at, not_after, now, channel=Channel.EMAIL) -> Message:
    """Write down, in the caller's transaction, that a message of `kind` is to go out at `due_at`, or not after `not_after`.

    Planning the same kind for the same version of the same row again changes nothing and returns the first one.
    Something due now also wakes the sweep once the transaction is committed.
    Raises IntegrityError if `not_after` is not after `due_at`, ValueError for an unknown channel.
    """
    dedupe_key = f"{kind}:{subject_id}:{version}:{Channel(channel).value}"
    planned = Message(
        kind=kind,
        channel=Channel(channel),
        dedupe_key=dedupe_key,
        subject_id=subject_id,
        version=version,
        patient=patient,
        due_at=due_at,
        not_after=not_after,
        next_attempt_at=due_at,
        created_at=now,
    )
    Message.objects.bulk_create([planned], ignore_conflicts=True)
    if due_at <= now:
        transaction.on_commit(wake_sweep)
    return Message.objects.get(dedupe_key=dedupe_key)


def withdraw_messages(*, subject_id, reason: str, now) -> int:
    """Skip, for `reason`, every message about `subject_id` that is still waiting. Returns how many.

    One that is being sent this moment looks again just before it leaves.
    """
    waiting = Message.objects.filter(subject_id=subject_id, state=State.WAITING)
    return waiting.update(state=State.SKIPPED, reason=reason, settled_at=now)


def claim_due_messages(*, now, limit=BATCH, lease=LEASE) -> list[Message]:
    """Take up to `limit` messages whose time has come, for `lease`; nobody else gets them meanwhile. Oldest first.

    One whose lease ran out (its worker died) is taken again. One UPDATE, so any number of workers may ask at once.
    """
    due = (
        Message.objects.filter(
            Q(state=State.WAITING, next_attempt_at__lte=now) | Q(state=State.SENDING, lease_until__lte=now)
        )
        .order_by("next_attempt_at")
        .select_for_update(skip_locked=True)
    )
    token = uuid.uuid4()
    with transaction.atomic():
        ids = list(due.values_list("pk", flat=True)[:limit])
        Message.objects.filter(pk__in=ids).update(state=State.SENDING, lease_until=now + lease, lease_token=token)
    return list(Message.objects.filter(lease_token=token).select_related("patient").order_by("next_attempt_at"))


def wake_sweep() -> None:
    """Ask a worker to look for due messages at once. A broker that is away costs nothing: beat asks again soon."""
    try:
        current_app.send_task("clinic.outbox.tasks.send_due", retry=False, ignore_result=True, expires=30)
    except Exception as error:  # whatever the broker's client raises, the visit is booked and the message is planned
        logger.warning("no worker was woken, beat will: %s", type(error).__name__)
