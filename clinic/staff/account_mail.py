"""Plan the emails to members of staff about their own account."""

from datetime import datetime, timedelta
from uuid import UUID

from clinic.audit.models import SignInEvent
from clinic.outbox.messages.planning import plan_message
from clinic.outbox.models import Message
from clinic.staff.models import StaffLink

INVITATION, RESET, ACCOUNT_EVENT = "staff_invitation", "staff_password_reset", "staff_account_event"
KINDS = {StaffLink.Purpose.INVITATION: INVITATION, StaffLink.Purpose.RESET: RESET}
USELESS_AFTER = timedelta(hours=24)


def plan_link_mail(link: StaffLink, *, now: datetime) -> Message:
    """Plan the email with `link`, an invitation or a reset. It is sent only if an account has the link's address."""
    not_after = min(link.expires_at, now + USELESS_AFTER)
    return _plan(KINDS[StaffLink.Purpose(link.purpose)], link.pk, not_after, now)


def plan_account_mail(event: SignInEvent, *, now: datetime) -> Message:
    """Plan the email that tells the event's user about it."""
    return _plan(ACCOUNT_EVENT, subject_of(event), now + USELESS_AFTER, now)


def subject_of(event: SignInEvent) -> UUID:
    """Return the `subject_id` of messages about `event`, whose key is a number."""
    return UUID(int=event.pk)


def _plan(kind: str, subject_id: UUID, not_after: datetime, now: datetime) -> Message:
    return plan_message(
        kind=kind, subject_id=subject_id, version=1, patient=None, due_at=now, not_after=not_after, now=now
    )
