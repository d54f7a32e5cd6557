"""Wait list entries to which no time can be offered. Staff see them, and the patients are asked to call.

The service can no longer be booked online, or no suitable therapist offers it. The entry is kept in case that changes.
Like every email about an entry, the email to the patient names no service, visit or person.
"""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from booking.messages.names import WAIT_STUCK
from booking.models import WaitListEntry
from booking.wait_list.entries import unexpired_entries
from clinic.outbox.messages.planning import draft_message, plan_messages
from clinic.outbox.models import Message, State
from clinic.practice.models import Therapist

TOLD_AFTER = timedelta(hours=1)  # staff may be in the middle of changing a service
USEFUL_FOR = timedelta(days=3)


def stuck_entries(*, now: datetime) -> QuerySet[WaitListEntry]:
    """Return the unexpired entries to which no time can be offered, longest waiting first."""
    return unexpired_entries(now=now).stuck().order_by("created_at", "pk")


def why_stuck(entry: WaitListEntry) -> str | None:
    """Return the reason why no time can be offered, for staff; None if one can."""
    able = Therapist.objects.active().filter(services=entry.service_id)
    if not entry.service.is_bookable:
        return "the service is no longer booked online"
    if entry.therapist is not None and not able.filter(pk=entry.therapist.pk).exists():
        return f"{entry.therapist.name} no longer offers this service"
    return None if able.exists() else "no therapist offers this service now"


def tell_stuck_patients(*, now: datetime) -> int:
    """Plan an email for each stuck entry whose patient was not notified yet.

    Return the number of emails.
    """
    told = Message.objects.filter(kind=WAIT_STUCK, subject_id=OuterRef("pk"))
    untold = (
        stuck_entries(now=now).exclude(Exists(told.exclude(state=State.SKIPPED))).select_related("patient", "service")
    )
    drafts = [_draft(entry, now) for entry in untold]
    plan_messages(drafts)
    return len(drafts)


def _draft(entry: WaitListEntry, now: datetime) -> Message:
    due_at = now + TOLD_AFTER
    return draft_message(
        kind=WAIT_STUCK,
        subject_id=entry.pk,
        version=Message.objects.filter(kind=WAIT_STUCK, subject_id=entry.pk).count() + 1,
        patient=entry.patient,
        scope=entry.service.slug,
        due_at=due_at,
        not_after=due_at + USEFUL_FOR,
        now=now,
    )
