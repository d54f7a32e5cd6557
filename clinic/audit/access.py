"""Write the audit log."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model

from clinic.audit.models import AccessEvent, Action

Actor = AbstractBaseUser | AnonymousUser | None


def record_access(*, actor: Actor, action: str, subject: Model, patient_id: UUID | None, now: datetime) -> AccessEvent:
    """Append a row to the audit log: `actor` did `action` to `subject`, a saved row about the patient `patient_id`.

    `actor` is a member of staff; None or an anonymous user means a patient or the system. Raises ValueError for an
    `action` that is not in `Action`.
    """
    event = _event(actor, action, subject, patient_id, now)
    event.save(force_insert=True)
    return event


def record_accesses(*, actor: Actor, action: str, subjects: Iterable[Any], now: datetime) -> None:
    """Append a row for each of `subjects`, which must have a `patient_id`. One query.

    Raises ValueError for an `action` that is not in `Action`.
    """
    AccessEvent.objects.bulk_create(_event(actor, action, subject, subject.patient_id, now) for subject in subjects)


def _event(actor: Actor, action: str, subject: Model, patient_id: UUID | None, now: datetime) -> AccessEvent:
    return AccessEvent(
        actor_id=actor.pk if actor is not None and actor.is_authenticated else None,
        action=Action(action),
        object_type=subject._meta.label_lower,
        object_id=str(subject.pk),
        patient_id=patient_id,
        at=now,
    )
