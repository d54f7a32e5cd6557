"""Write down who read or changed what."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model

from .models import AccessEvent, Action

Actor = AbstractBaseUser | AnonymousUser | None


def record_access(*, actor: Actor, action: str, subject: Model, patient_id: UUID | None, now: datetime) -> AccessEvent:
    """Append that `actor` (a User, or None or an anonymous one for patients and the system) did `action` to `subject`.

    `action` is one of `Action` (a letter of CRUDE), `subject` a saved model instance, `patient_id` whom it is about.
    Raises ValueError for an unknown action.
    """
    event = _event(actor, action, subject, patient_id, now)
    event.save(force_insert=True)
    return event


def record_accesses(*, actor: Actor, action: str, subjects: Iterable[Any], now: datetime) -> None:
    """The same for each of `subjects`, which say as `patient_id` whom they are about; one query."""
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
