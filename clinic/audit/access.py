"""Write the audit log."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model

from clinic.audit.models import AccessEvent, Action, Who
from clinic.audit.reading import Reading, current_reading, note_shown

Actor = AbstractBaseUser | AnonymousUser | None

ALL_RIGHTS = "all rights"


def record_access(*, actor: Actor, action: str, subject: Model, patient_id: UUID | None, now: datetime) -> AccessEvent:
    """Append a row to the audit log: `actor` did `action` to `subject`, a saved row about the patient `patient_id`.

    For changes, in their own transaction; `record_read` is for pages. `actor` is a member of staff; None or an
    anonymous user means a patient or the system. Raises ValueError for an `action` that is not in `Action`.
    """
    patients = [] if patient_id is None else [patient_id]
    return _append(actor, action, _name(subject), patients, now)


def record_read(*, actor: Actor, subject: Model, patient_ids: Iterable[UUID | None], now: datetime) -> None:
    """Record that `actor` read `subject`. In a request this becomes its one line, else a row is appended at once."""
    if current_reading() is not None:
        note_shown(patient_ids, subject=_name(subject))
    else:
        _append(actor, Action.READ, _name(subject), [one for one in patient_ids if one is not None], now)


def record_page(reading: Reading, *, action: Action, now: datetime) -> AccessEvent | None:
    """Append the line of a request, for the patients whom no line of it names yet. None if there is nothing to add.

    Rows that are about no known patient, such as a text from an unknown number, make a line without patients. A change
    that has written its own line needs no other. After this, loading another patient in this request raises
    ReadTooLate.
    """
    patients, event = reading.unwritten(), None
    is_new = reading.lines == 0
    if (patients and (is_new or action == Action.READ)) or (reading.subject[0] and is_new):
        actor = reading.request.user if reading.is_by_staff else None
        event = _append(actor, action, reading.subject, sorted(patients), now)
    reading.is_closed = True
    return event


def _append(actor: Actor, action: str, subject: tuple[str, str], patient_ids: list[UUID], now: datetime) -> AccessEvent:
    reading, is_staff = current_reading(), actor is not None and actor.is_authenticated
    event = AccessEvent(
        actor_id=actor.pk if actor is not None and is_staff else None,
        who=Who.STAFF if is_staff else reading.who if reading else Who.SITE,
        roles=_describe_roles(actor) if is_staff else "",
        action=Action(action),
        page=reading.page if reading else "",
        object_type=subject[0],
        object_id=subject[1],
        patient_ids=patient_ids,
        network=reading.network if reading else "",
        at=now,
    )
    event.save(force_insert=True)
    if reading is not None:
        reading.written.update(patient_ids)
        reading.lines += 1
    return event


def _name(subject: Model) -> tuple[str, str]:
    return subject._meta.label_lower, str(subject.pk)


def _describe_roles(actor: Actor) -> str:
    """Return the roles of a member of staff, such as "owner, front desk", or ALL_RIGHTS for a superuser."""
    if getattr(actor, "is_superuser", False):
        return ALL_RIGHTS
    return ", ".join(role.replace("-", " ") for role in getattr(actor, "roles", ()))
