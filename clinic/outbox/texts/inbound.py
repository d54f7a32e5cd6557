"""Inbound texts that staff must read: stored, announced to staff by email, shown on Today, marked as read.

Every text is stored, from any number, except STOP, START, and a Y or C that was acted on. A number does not prove who
wrote. So each text is shown with all patients who have its number, and none of their data is changed.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Func, Max, TextField, Value

from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.audit.reading import note_shown
from clinic.outbox.messages.alerts import plan_until_seen, staff_who_may, why_clinic_unreachable
from clinic.outbox.messages.planning import withdraw_messages
from clinic.outbox.models import InboundText, Message
from clinic.practice.models import Patient, User
from clinic.practice.values.phone import base_number

ANSWER_AGAIN_AFTER = timedelta(hours=1)  # between automatic answers to one number, which may be an autoresponder
VIEW, CHANGE = "outbox.view_inboundtext", "outbox.change_inboundtext"
STAFF_TEXT = "staff_inbound_text"
THE_CLINIC = uuid.UUID(int=2)  # the `subject_id` of alerts if no staff user may mark texts as read
HOUR = timedelta(hours=1)
AGAIN_AFTER = (HOUR / 2, 2 * HOUR, 8 * HOUR, 24 * HOUR, 48 * HOUR)  # as for emergency flags: a text may be urgent too
ONE_SITTING = timedelta(minutes=10)  # texts received within it are announced in one email
MOST_SHOWN = 20


@dataclass(frozen=True)
class ReceivedText:
    """A text for staff, and the `patients` who currently have its number."""

    row: InboundText
    patients: list[Patient]


@transaction.atomic
def keep_text(*, phone: str, content: str, provider_id: str, is_answerable: bool = True, now: datetime) -> bool:
    """Store a text, record it in the audit log, alert staff, and return whether to answer it automatically.

    A number gets at most one automatic answer per ANSWER_AGAIN_AFTER. `is_answerable` is False for texts that never get
    an answer. Idempotent by `provider_id`, because a webhook may be delivered twice: the second call returns the same
    result.
    """
    _lock_number(phone)
    if kept := InboundText.objects.filter(provider_id=provider_id).first():
        return kept.answered_at is not None
    answered = InboundText.objects.filter(phone=phone, answered_at__gt=now - ANSWER_AGAIN_AFTER)
    is_answered = is_answerable and not answered.exists()
    patients = patients_with([phone])[phone]
    kept = InboundText.objects.create(
        provider_id=provider_id,
        phone=phone,
        patient=patients[0] if len(patients) == 1 else None,
        words=content,
        received_at=now,
        answered_at=now if is_answered else None,
    )
    record_access(actor=None, action=Action.CREATE, subject=kept, patient_id=kept.patient_id, now=now)
    _tell_staff(kept, now=now)
    return is_answered


def _lock_number(phone: str) -> None:
    """Lock a number until the transaction ends. Otherwise two concurrent webhooks could each answer it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"inbound text {phone}"])


def patients_with(phones: Iterable[str]) -> dict[str, list[Patient]]:
    """Return the patients by number, for `phones` (E.164), ordered by name. Their extensions are ignored. One query."""
    found: dict[str, list[Patient]] = defaultdict(list)
    based = Patient.objects.current().alias(
        base=Func("phone", Value(";"), Value(1), function="split_part", output_field=TextField())
    )
    for patient in based.filter(base__in=set(phones)).order_by("name", "pk"):
        found[base_number(patient.phone)].append(patient)
    return found


def read_unread_texts(*, user: User) -> list[ReceivedText]:
    """Return the oldest MOST_SHOWN unread texts for Today, and note for the audit log that they are shown.

    Empty if `user` may neither view nor change texts.
    """
    if not (user.has_perm(VIEW) or user.has_perm(CHANGE)):
        return []
    rows = list(InboundText.objects.unread()[:MOST_SHOWN])
    patients = patients_with(row.phone for row in rows)
    if rows:
        note_shown((row.patient_id for row in rows), subject=(InboundText._meta.label_lower, ""))
    return [ReceivedText(row, patients[row.phone]) for row in rows]


@transaction.atomic
def mark_text_read(*, text: InboundText, by: User, now: datetime) -> bool:
    """Mark `text` as read, also in the audit log. Returns False if it was marked before; the first reader is kept."""
    locked = InboundText.objects.select_for_update().get(pk=text.pk)
    if locked.read_at is not None:
        return False
    locked.read_at, locked.read_by = now, by
    locked.save(update_fields=["read_at", "read_by"])
    record_access(actor=by, action=Action.EXECUTE, subject=locked, patient_id=locked.patient_id, now=now)
    return True


def _tell_staff(text: InboundText, *, now: datetime) -> None:
    """Plan emails to all staff who may mark texts as read, or to the clinic's own address if there are none.

    No-op if staff were alerted within ONE_SITTING and another text received since then is unread. New emails replace
    pending ones.
    """
    others = InboundText.objects.unread().exclude(pk=text.pk)
    told_at = Message.objects.filter(kind=STAFF_TEXT, created_at__gt=now - ONE_SITTING).order_by("-created_at")
    if (last := told_at.first()) and others.filter(received_at__gte=last.created_at).exists():
        return
    _plan_alerts(now=now)


def _plan_alerts(*, now: datetime) -> None:
    for recipient_id in _recipients():
        withdraw_messages(subject_id=recipient_id, reason="a newer text is told of", now=now)
        told = Message.objects.filter(kind=STAFF_TEXT, subject_id=recipient_id)
        plan_until_seen(
            kind=STAFF_TEXT,
            subject_id=recipient_id,
            again_after=AGAIN_AFTER,
            first_version=(told.aggregate(last=Max("version"))["last"] or 0) + 1,
            now=now,
        )


def why_alert_unwanted(message: Message, now: datetime) -> str | None:
    """Return why an alert must not be sent; None if a text is unread and its recipient may still get it.

    A relevance check. If the recipient has left or lost the permission, plan alerts to the current recipients, unless
    alerts to them were planned with `message` or after it.
    """
    if not InboundText.objects.unread().exists():
        return "every text has been read"
    if message.subject_id == THE_CLINIC:
        return why_clinic_unreachable()
    recipients = _recipients()
    if message.subject_id in recipients:
        return None
    told = Message.objects.filter(kind=STAFF_TEXT, subject_id__in=recipients, created_at__gte=message.created_at)
    if not told.exists():  # the recipient has left or lost the permission
        _plan_alerts(now=now)
    return "the recipient has left"


def _recipients() -> list[uuid.UUID]:
    """Return the IDs of the staff who may mark texts as read, or THE_CLINIC if there are none."""
    return [user.pk for user in staff_who_may(CHANGE)] or [THE_CLINIC]
