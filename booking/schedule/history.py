"""Lock a visit, and write its history (append-only) in the transaction of the change."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from booking.models import Appointment, AppointmentEvent
from booking.schedule.errors import BusyTryAgain, VisitChanged
from booking.schedule.rules import lock_patient
from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.practice.models import User

TRIES = 3


def lock_appointment(appointment: Appointment) -> Appointment:
    """Lock the visit's patient and the visit until the transaction ends. Return the current row.

    If a merge or a corrected address gives the visit another patient meanwhile, both locks are released and taken
    again. Raises BusyTryAgain after `TRIES` attempts. The query does not join the patient, because after a wait for the
    lock the joined row could be stale.
    """
    patient_id = appointment.patient_id
    for _ in range(TRIES):
        savepoint = transaction.savepoint_create()
        if patient_id is not None:  # a hold has none
            lock_patient(patient_id)
        locked = Appointment.objects.select_for_update().get(pk=appointment.pk)
        if locked.patient_id == patient_id:
            transaction.savepoint_commit(savepoint)
            return locked
        transaction.savepoint_rollback(savepoint)
        patient_id = locked.patient_id
    raise BusyTryAgain


def require_version(appointment: Appointment, version: int | str | None) -> None:
    """Raise VisitChanged if the locked visit is not the one that the page showed.

    `version` is the visit's version, or its `shown` value, which includes marks. None skips the check.
    """
    if version is not None and version != (appointment.shown if isinstance(version, str) else appointment.version):
        raise VisitChanged


def record_event(
    appointment: Appointment,
    kind: AppointmentEvent.Kind,
    action: Action = Action.UPDATE,
    *,
    by: User | None,
    now: datetime,
    is_silent: bool = False,
    cleared: Mapping[str, Any] | None = None,
) -> None:
    """Append to the visit's history and to the audit log.

    For a move, `is_silent` says that staff chose not to tell the patient, and `cleared` has the columns that the move
    reset, with their values before it.
    """
    AppointmentEvent.objects.create(
        appointment=appointment,
        kind=kind,
        at=now,
        by=by,
        starts_at=appointment.starts_at,
        version=appointment.version,
        therapist_id=appointment.therapist_id,
        mode=appointment.mode,
        minutes=appointment.minutes,
        is_silent=is_silent,
        cleared=cleared,
    )
    record_access(actor=by, action=action, subject=appointment, patient_id=appointment.patient_id, now=now)
