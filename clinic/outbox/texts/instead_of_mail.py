"""Texts instead of emails, for readers who chose them: the email is skipped only once its text was sent.

The email waits while the text is not settled, as long as the reader still has half of the planned time. If the text is
skipped or fails, the email is sent. If the text takes longer, it is withdrawn before the email is sent, so that the
reader does not get both.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from clinic.outbox.messages.alerts import plan_failure_alert
from clinic.outbox.messages.kinds import MessageKind
from clinic.outbox.messages.planning import useful_until, wake_sweep
from clinic.outbox.models import Channel, Message, State
from clinic.outbox.text.quiet_hours import QuietHours, end_of_quiet_hours
from clinic.outbox.texts.providers import has_texts
from clinic.outbox.texts.texting import consent_of

LOOK_AGAIN_AFTER = timedelta(minutes=1)
TEXT_WENT, MAIL_GOES = "the reader got a text instead", "the reader gets an e-mail instead"


def text_instead_of(message: Message, kind: MessageKind) -> Message | None:
    """Return the text that may replace the email `message`; None if no text may.

    No text may replace news, a copy that staff resent, or an email to a reader who did not choose texts only. A text
    that was skipped or failed replaces nothing.
    """
    is_copy = "#" in message.dedupe_key
    if message.patient is None or is_copy or kind.is_news or not kind.text_message or not has_texts():
        return None
    consent = consent_of(message.patient)
    if consent is None or not consent.instead_of_email:
        return None
    ended_otherwise = (State.SKIPPED, State.FAILED)
    return Message.objects.filter(dedupe_key=_key_of_counterpart(message)).exclude(state__in=ended_otherwise).first()


def wait_for_text_until(message: Message, text: Message, *, hours: QuietHours | None, now: datetime) -> datetime | None:
    """Return when to check `text` again; None if its email, `message`, must be sent now to be useful.

    The email may not be sent during `hours`. It is sent before them if it would be too late after them.
    """
    tried_at = max(now, text.next_attempt_at)
    if text.state == State.SENDING:  # it will be settled within its lease
        return now + LOOK_AGAIN_AFTER
    latest = useful_until(due_at=message.due_at, not_after=message.not_after)
    until = tried_at + LOOK_AGAIN_AFTER
    is_soon_enough = tried_at <= latest and (
        hours is None or end_of_quiet_hours(until, hours) <= latest + LOOK_AGAIN_AFTER
    )
    return until if is_soon_enough else None


def withdraw_text(text: Message, *, now: datetime) -> bool:
    """Skip `text`, because its email is sent now. Returns False if it is no longer waiting."""
    waiting = Message.objects.filter(pk=text.pk, state=State.WAITING)
    return waiting.update(state=State.SKIPPED, reason=MAIL_GOES, settled_at=now) == 1


def send_withdrawn_text(message: Message, *, now: datetime) -> None:
    """Requeue the text that was withdrawn in favor of `message`, an email that has failed, unless it is too late."""
    _wake(Message.objects.filter(dedupe_key=_key_of_counterpart(message), reason=MAIL_GOES), now=now)


@transaction.atomic
def note_undelivered(*, message_id: UUID, code: str, now: datetime) -> None:
    """Record that the provider could not deliver a text that it had accepted, such as one to a landline. Idempotent.

    The text fails with the provider's `code`, and the clinic is alerted. If an email was skipped for the text, the
    email is sent, unless it is too late.
    """
    sent = Message.objects.filter(pk=message_id, channel=Channel.SMS, state=State.SENT)
    if not sent.update(state=State.FAILED, reason=f"not delivered {code}".strip(), settled_at=now):
        return
    plan_failure_alert(now=now)
    text = Message.objects.get(pk=message_id)
    _wake(Message.objects.filter(dedupe_key=_key_of_counterpart(text), reason=TEXT_WENT), now=now)


def _wake(messages: QuerySet[Message], *, now: datetime) -> None:
    skipped = messages.filter(state=State.SKIPPED, not_after__gt=now)
    begun_anew = {"reason": "", "settled_at": None, "attempts": 0, "first_tried_at": None}
    if skipped.update(state=State.WAITING, next_attempt_at=now, **begun_anew):
        transaction.on_commit(wake_sweep)


def _key_of_counterpart(message: Message) -> str:
    root = message.dedupe_key.partition("#")[0].removesuffix(message.channel)
    return root + (Channel.EMAIL if message.channel == Channel.SMS else Channel.SMS).value
