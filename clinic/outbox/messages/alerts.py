"""Alerts to staff: recipients, repeats until someone has acted, and the alert about failed messages.

Alerts contain no patient names.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Protocol, runtime_checkable

from django.conf import settings
from django.contrib.auth import get_backends
from django.db.models import QuerySet

from clinic.outbox.messages.kinds import Email
from clinic.outbox.messages.planning import plan_message
from clinic.outbox.messages.rendering import render_email
from clinic.outbox.models import Message
from clinic.practice.models import Clinic, User

MESSAGE_FAILED = "staff_message_failed"
NO_SUBJECT = uuid.UUID(int=1)  # the `subject_id` of the failure alert, which is about many messages
COLLECTED_FOR = timedelta(minutes=2)
USELESS_AFTER = timedelta(hours=24)  # after the alert is due


@runtime_checkable
class KnowsHolders(Protocol):
    """An authentication backend that can list the active users who have a permission."""

    def with_perm(self, perm: str) -> QuerySet[User]: ...


def staff_who_may(permission: str) -> list[User]:
    """Return the active users who have `permission` ("app.act_model"), by any backend of the site. One query."""
    holders = [backend.with_perm(permission) for backend in get_backends() if isinstance(backend, KnowsHolders)]
    return list(reduce(or_, holders))


def plan_until_seen(
    *, kind: str, subject_id: uuid.UUID, again_after: Iterable[timedelta], now: datetime, first_version: int = 1
) -> None:
    """Plan an alert of `kind`, due now, and one repeat for each delay in `again_after`, counted from now.

    Versions count up from `first_version`. The kind's relevance check must skip the rest once staff have acted.
    """
    for version, wait in enumerate((timedelta(0), *again_after), start=first_version):
        plan_message(
            kind=kind,
            subject_id=subject_id,
            version=version,
            patient=None,
            due_at=now + wait,
            not_after=now + wait + USELESS_AFTER,
            now=now,
        )


def plan_failure_alert(*, now: datetime) -> Message:
    """Plan the alert about failed messages, or return the one planned in the same clock hour."""
    return plan_message(
        kind=MESSAGE_FAILED,
        subject_id=NO_SUBJECT,
        version=int(now.timestamp() // 3600),
        patient=None,
        due_at=now + COLLECTED_FOR,
        not_after=now + timedelta(hours=12),
        now=now,
    )


def staff_email(kind: str, *, path: str, button_text: str, to: str = "", **context: object) -> Email:
    """Return an email of `kind` to `to`, or else to the clinic's own address, with a button that opens `path`."""
    clinic = Clinic.objects.current()
    button = {"button_url": settings.SITE_URL + path, "button_text": button_text}
    return render_email(kind, to=to or clinic.email, context={**context, **button}, clinic=clinic)


def why_clinic_unreachable() -> str | None:
    """Return why the clinic cannot be emailed; None if it has an address. For relevance checks."""
    return None if Clinic.objects.current().email else "the clinic has no email address"
