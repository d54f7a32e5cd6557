"""Answer inbound texts: STOP, START, HELP, and Y or C to a reminder. Anything else is stored for staff to read."""

from datetime import datetime

from clinic.outbox.messages.subjects import read_reply
from clinic.outbox.text.gsm import to_gsm
from clinic.outbox.text.reply_meaning import Reply, parse_reply
from clinic.outbox.texts.inbound import keep_text
from clinic.outbox.texts.texting import MOST_A_DAY, restore_consent, withdraw_consent
from clinic.practice.models import Clinic
from clinic.practice.values.phone import format_phone


def answer_text(*, phone: str, text: str, provider_id: str, now: datetime) -> str:
    """Act on `text` from `phone` (E.164) and return the reply; empty for none.

    A Y or C that was acted on is acknowledged each time. Any other automatic answer is sent to a number at most once
    per ANSWER_AGAIN_AFTER, which ends a loop of two autoresponders. `provider_id` is the provider's ID of the text,
    which may be delivered twice.
    """
    reply = parse_reply(text)
    if reply in (Reply.STOP, Reply.CANCEL):
        withdraw_consent(phone=phone, now=now)
        if reply == Reply.CANCEL:  # the sender may have meant the visit
            keep_text(phone=phone, content=text, provider_id=provider_id, is_answerable=False, now=now)
        return ""  # the carrier confirms the STOP itself
    if reply == Reply.START:
        restore_consent(phone=phone, now=now)
        return ""
    if reply in (Reply.YES, Reply.CANNOT) and (answer := read_reply(phone, reply.value, now)):
        return to_gsm(answer)
    is_answered = keep_text(phone=phone, content=text, provider_id=provider_id, now=now)
    return to_gsm(_automatic_answer(reply)) if is_answered else ""


def _automatic_answer(reply: Reply | None) -> str:
    """Return the automatic answer, which is the same for known and unknown numbers."""
    clinic = Clinic.objects.current()
    call = f"call {format_phone(clinic.phone, clinic.country)}" if clinic.phone else "reply to our email"
    emergency = f"In an emergency call {clinic.emergency_number}."
    if reply == Reply.HELP:
        return f"Texts about your visits, {MOST_A_DAY} reminder a day at most. For help {call}. {emergency} Reply STOP to end them."
    return f"We got your text. Our staff read texts, but not around the clock. If it can't wait, {call}. {emergency}"
