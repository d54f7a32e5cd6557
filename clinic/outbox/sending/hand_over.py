"""Send claimed messages: check relevance, render, send, record the outcome.

Most messages cost one relevance check and one write of the outcome. Rules and suppressions are read once per batch. The
outcome of a message is recorded before the next one is sent, so a worker that dies leaves at most one outcome unknown.

Every write requires the lease under which the message was claimed, except "sent", which is true whichever worker has
the lease by then. Writing "sent" is retried for RECORDING_SENT.
"""

import logging
import random
import time
from collections.abc import Callable, Generator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

from django.core.mail import mailers
from django.core.mail.backends.base import BaseEmailBackend
from django.db import Error as DatabaseFault
from django.db import connection
from django.db.models import Case, F, QuerySet, When

from clinic.outbox.messages.alerts import plan_failure_alert
from clinic.outbox.messages.kinds import MessageKind, find_kind
from clinic.outbox.messages.mail import build_mail, describe_error, is_refused_for_good
from clinic.outbox.messages.message_rules import text_of
from clinic.outbox.messages.suppressions import unsubscribe_headers
from clinic.outbox.models import REASON_LENGTH, SETTLED, Channel, Message, State
from clinic.outbox.sending.claims import ClaimedMessage, claim_due_messages
from clinic.outbox.sending.heartbeat import note_sweep
from clinic.outbox.sending.refusals import find_refusal
from clinic.outbox.text.quiet_hours import QuietHours, end_of_quiet_hours
from clinic.outbox.text.time_limits import CONVERSATION, GIVE_UP_AFTER, RECORDING_SENT, SWEEP_LASTS
from clinic.outbox.texts.instead_of_mail import (
    LOOK_AGAIN_AFTER,
    TEXT_WENT,
    send_withdrawn_text,
    text_instead_of,
    wait_for_text_until,
    withdraw_text,
)
from clinic.outbox.texts.providers import TextRefused, TextUnsure
from clinic.outbox.texts.texting import UNSURE, fail_unsure_texts, reader_zone, send_text, text_hours
from clinic.practice.models import Clinic

logger = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=20)
UNLEASED = {"lease_until": None, "lease_token": None}


class MailServerAway(Exception):
    """The connection to the mail server could not be opened. The next message would fail too."""


def send_due_messages(*, clock: Callable[[], datetime]) -> int:
    """Send due messages in batches, and return how many were sent. `clock` returns the current instant.

    Ends when none is due, the sweep's time is up, or no connection to the mail server can be opened. First writes the
    heartbeat, and fails texts whose worker died.
    """
    note_sweep(now=clock())
    fail_unsure_texts(now=clock())
    sent, mailer, clinic = 0, mailers.default, Clinic.objects.current()
    try:
        with closing(_claim_in_batches(until=clock() + SWEEP_LASTS, clock=clock)) as claimed:
            for one in claimed:
                sent += send_claimed(one, now=clock(), mailer=mailer, clinic=clinic) == State.SENT
    except MailServerAway:
        logger.info("the mail server is away; the next sweep tries again")
    finally:
        _close(mailer)
    return sent


def _claim_in_batches(*, until: datetime, clock: Callable[[], datetime]) -> Generator[ClaimedMessage]:
    """Yield due messages one by one. Release the messages that were claimed but not yielded."""
    while clock() < until and (batch := claim_due_messages(now=clock())):
        try:
            while batch and clock() < until:
                yield batch.pop(0)
        finally:
            _release([claimed.message for claimed in batch])


def send_claimed(
    claimed: ClaimedMessage, *, now: datetime, mailer: BaseEmailBackend | None = None, clinic: Clinic | None = None
) -> State | None:
    """Send a claimed message: an email through `mailer`, which is opened if needed, or a text through the provider.

    Returns its new state, or None without an attempt if another worker has the message or could claim it before the
    attempt ends. Raises MailServerAway, after recording the failed attempt, if no connection could be opened, and the
    database's error if a sent message could not be recorded.
    """
    mailer, message = mailer or mailers.default, claimed.message
    if not _begin(claimed, now=now):
        return None
    try:
        not_sent = _prepare_and_send(claimed, mailer, clinic or Clinic.objects.current(), now=now)
    except MailServerAway as away:
        _record_fault(claimed, away.__cause__ or away, now=now)
        raise
    except Exception as fault:  # one message's failure must not stop the others
        _close(mailer)  # the connection may be broken; the next message opens a new one
        return _record_fault(claimed, fault, now=now)
    return not_sent or _record_sent(message, now=now)


def _prepare_and_send(
    claimed: ClaimedMessage, mailer: BaseEmailBackend, clinic: Clinic, *, now: datetime
) -> State | None:
    """Send the message. Return its state if it was not sent; None once the server or provider has accepted it."""
    message = claimed.message
    kind = find_kind(message.kind)
    not_sent = _check_again(claimed, kind, clinic, now=now)
    if message.channel == Channel.SMS:
        if not_sent is None:
            template = claimed.rule.text if claimed.rule else kind.text_message
            send_text(message, template, now=now)
        return not_sent
    if not_sent is None and _open(mailer):  # connecting can take a while
        not_sent = _check_again(claimed, kind, clinic, now=now)
    if not_sent is None:
        mail = build_mail(message, kind.render(message, text_of(claimed.rule), now), clinic=clinic, now=now)
        if not kind.is_about_visit and message.patient:
            mail.extra_headers |= unsubscribe_headers(message.patient, now=now)
        mailer.send_messages([mail])
    return not_sent


def _check_again(claimed: ClaimedMessage, kind: MessageKind, clinic: Clinic, *, now: datetime) -> State | None:
    """Settle or postpone a message that should not be sent now, and return its state; None if it should be sent."""
    message = claimed.message
    if now >= message.not_after:
        return _settle(message, State.SKIPPED, "too late", now=now)
    if now >= claimed.first_tried_at + GIVE_UP_AFTER:
        return _settle(message, State.FAILED, message.reason or "tried for too long", now=now)
    if refusal := find_refusal(
        message, kind, rule=claimed.rule, suppression=claimed.suppression, clinic=clinic, now=now
    ):
        return _settle(message, *refusal, now=now)
    hours = _quiet_hours(message, kind, clinic)
    return _wait_for_morning(message, kind, hours, now=now) or _wait_for_text(message, kind, hours, now=now)


def _quiet_hours(message: Message, kind: MessageKind, clinic: Clinic) -> QuietHours | None:
    """Return the hours in which `message` may not be sent; None for a message that is sent at any hour."""
    if message.channel == Channel.SMS:
        return text_hours(message, clinic)
    if not kind.respects_quiet_hours:
        return None
    return QuietHours(clinic.quiet_from, clinic.quiet_until, reader_zone(message, clinic))


def _wait_for_morning(message: Message, kind: MessageKind, hours: QuietHours | None, *, now: datetime) -> State | None:
    """Postpone a message to the end of quiet hours, and return its state; None if it should be sent now.

    A message that would be too late by then is skipped, but an emailed reminder is sent during quiet hours.
    """
    quiet_until = end_of_quiet_hours(now, hours) if hours else now
    if quiet_until <= now:
        return None
    if quiet_until < message.not_after:
        return _wait(message, until=quiet_until, reason="quiet hours", attempts=0, first_tried_at=None)
    if kind.is_reminder and message.channel == Channel.EMAIL:
        return None
    return _settle(message, State.SKIPPED, "quiet hours until it is too late", now=now)


def _wait_for_text(message: Message, kind: MessageKind, hours: QuietHours | None, *, now: datetime) -> State | None:
    """Postpone an email while the text that may replace it is not settled, and skip it once that text was sent.

    Withdraws the text if the email would be too late after a longer wait. Returns the state of the email; None if it
    should be sent now.
    """
    text = text_instead_of(message, kind) if message.channel == Channel.EMAIL else None
    if text is None:
        return None
    if text.state == State.SENT:
        return _settle(message, State.SKIPPED, TEXT_WENT, now=now)
    until = wait_for_text_until(message, text, hours=hours, now=now)
    if until is None and withdraw_text(text, now=now):
        return None
    return _wait(
        message, until=until or now + LOOK_AGAIN_AFTER, reason="waits for its text", attempts=0, first_tried_at=None
    )


def _open(mailer: BaseEmailBackend) -> bool:
    """Open a connection if none is open, and return whether a new one was opened. Raises MailServerAway."""
    try:
        return bool(mailer.open())
    except OSError as fault:  # smtplib's errors, such as a failed greeting or login, are OSErrors too
        raise MailServerAway from fault


def _close(mailer: BaseEmailBackend) -> None:
    try:
        mailer.close()
    except OSError as fault:
        logger.info("the connection to the mail server was not closed cleanly: %s", describe_error(fault))


def _begin(claimed: ClaimedMessage, *, now: datetime) -> bool:
    """Count the attempt, and return whether it may begin.

    It may not if another worker has the message, or could claim it before this attempt ends. Two kinds of attempts are
    stored before they begin: those of texts, which may be delivered even if this worker dies, and those of messages
    that were tried before, because another worker may have recorded them as sent by now.
    """
    message = claimed.message
    message.attempts += 1
    if now + CONVERSATION + RECORDING_SENT > claimed.lease_until:
        return False
    is_first_try_of_mail = claimed.is_first_try and message.channel == Channel.EMAIL
    return is_first_try_of_mail or _write(message)


def _record_fault(claimed: ClaimedMessage, fault: BaseException, *, now: datetime) -> State:
    """Schedule a retry with backoff, or fail the message if that is pointless, too late, or could send a text twice."""
    message = claimed.message
    if not isinstance(fault, OSError):  # not a network error; the log formatter drops the exception's message
        logger.warning("message %s could not be rendered", message.pk, exc_info=fault)
    reason = UNSURE if isinstance(fault, TextUnsure) else describe_error(fault)
    pause = min(FIRST_PAUSE * 2 ** min(message.attempts - 1, 10), LONGEST_PAUSE) * random.uniform(0.8, 1.2)
    last_chance = min(message.not_after, claimed.first_tried_at + GIVE_UP_AFTER)
    if is_refused_for_good(fault) or isinstance(fault, TextRefused | TextUnsure) or now + pause >= last_chance:
        return _settle(message, State.FAILED, reason, now=now)
    return _wait(message, until=now + pause, reason=reason)


def _record_sent(message: Message, *, now: datetime) -> State:
    """Record that `message` was sent, retrying for RECORDING_SENT while the database is unavailable.

    The lease covers that time, so no other worker sends the message meanwhile. After that, raises the database's error.
    When the lease expires, an email is sent a second time, and a text fails as UNSURE.
    """
    give_up = time.monotonic() + RECORDING_SENT.total_seconds()
    while True:
        try:
            unsettled = Message.objects.filter(pk=message.pk).exclude(state__in=SETTLED)
            unsettled.update(state=State.SENT, reason="", settled_at=now, attempts=message.attempts, **UNLEASED)
        except DatabaseFault:
            if time.monotonic() > give_up:
                logger.error("message %s was sent, but this could not be recorded; a duplicate may follow", message.pk)
                raise
            connection.close()
            time.sleep(1)
        else:
            logger.info("message %s: sent", message.pk)
            return State.SENT


def _settle(message: Message, state: State, reason: str, *, now: datetime) -> State:
    logger.info("message %s: %s, %s", message.pk, state, reason)
    is_ours = _write(message, state=state, reason=reason[:REASON_LENGTH], settled_at=now, **UNLEASED)
    if is_ours and state == State.FAILED and (message.patient_id or find_kind(message.kind).is_missed_by_staff):
        plan_failure_alert(now=now)
        if message.channel == Channel.EMAIL:
            send_withdrawn_text(message, now=now)
    return state


def _wait(message: Message, *, until: datetime, reason: str, **changes: Any) -> State:
    logger.info("message %s: waits until %s, %s", message.pk, until.isoformat(timespec="seconds"), reason)
    _write(message, state=State.WAITING, next_attempt_at=until, reason=reason, **changes, **UNLEASED)
    return State.WAITING


def _release(messages: list[Message]) -> None:
    """Release the leases of `messages`, and clear `first_tried_at` of those without an attempt."""
    if messages:
        first_tried_at = Case(When(attempts=0, then=None), default=F("first_tried_at"))
        _leased(*messages).update(state=State.WAITING, first_tried_at=first_tried_at, **UNLEASED)


def _write(message: Message, **changes: Any) -> bool:
    """Write `changes` and the number of attempts. Returns False if this worker no longer holds the lease."""
    return _leased(message).update(**{"attempts": message.attempts, **changes}) == 1


def _leased(*messages: Message) -> QuerySet[Message]:
    ids, token = [message.pk for message in messages], messages[0].lease_token
    return Message.objects.filter(pk__in=ids, state=State.SENDING, lease_token=token)
