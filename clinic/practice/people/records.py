"""A patient's record across all rooms: its timeline, its export, and erasing it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.practice.models import Patient, User
from clinic.practice.registry.holdings import ErasureRefused, Holding, Line, NotNeeded, holdings
from clinic.practice.registry.rights import may_see

MOST_LINES = 50  # of a timeline, unless all are asked for


class PatientErased(ErasureRefused):
    """The patient was merged or erased meanwhile."""


@dataclass(frozen=True)
class Timeline:
    """The lines of a timeline, newest first. `is_cut`: there are older ones."""

    lines: list[Line]
    is_cut: bool


def rows_of_person(patient: Patient) -> list[Patient]:
    """Return `patient` and the rows that were merged into it. One query.

    The audit log has entries under the ID of each.
    """
    return [patient, *Patient.objects.filter(merged_into=patient).order_by("pk")]


def read_timeline(patient: Patient, *, by: User, is_whole: bool = False, now: datetime) -> Timeline:
    """Return what the rooms have of `patient` and `by` may see: the newest MOST_LINES lines, or all if `is_whole`."""
    patients = rows_of_person(patient)
    most = None if is_whole else MOST_LINES + 1
    readers = (holding.timeline for holding in holdings_seen(by))
    lines = [
        line
        for timeline in readers
        if not isinstance(timeline, NotNeeded)
        for line in timeline(patients, by=by, most=most, now=now)
    ]
    lines.sort(key=lambda line: (line.at, line.what), reverse=True)
    return Timeline(lines[: most and MOST_LINES], is_cut=most is not None and len(lines) > MOST_LINES)


def holdings_seen(by: User) -> list[Holding]:
    """Return the holdings whose rows `by` may see."""
    return [holding for holding in holdings() if may_see(by, [holding.permission])]


@transaction.atomic
def export_patient(patient: Patient, *, by: User, now: datetime) -> dict[str, Any]:
    """Return everything about `patient` that `by` may see, as JSON-able data, and record that in the audit log.

    It has nothing about other patients. `left_out` names what `by` may not see.
    """
    patients, seen = rows_of_person(patient), [holding.model for holding in holdings_seen(by)]
    record, left_out = {}, []
    for holding in holdings():
        if isinstance(holding.export, NotNeeded):
            continue
        if holding.model in seen:
            record[holding.title] = holding.export(patients, by, now)
        else:
            left_out.append(holding.title)
    record_access(actor=by, action=Action.EXECUTE, subject=patient, patient_id=patient.pk, now=now)
    return {"exported_at": now.isoformat(), "patient": str(patient.pk), "left_out": left_out, "record": record}


@transaction.atomic
def erase_patient(patient: Patient, *, by: User, now: datetime) -> None:
    """Overwrite what identifies `patient` and what was answered and texted, in the rows of all rooms. Not undoable.

    The skeleton that the law or constraints need is kept: see `Holding.stays`. Locks the patient and the rows merged
    into it, by pk. Raises an ErasureRefused, such as for an upcoming visit.
    """
    patients = _lock_person(patient)
    require_erasable(patients[0], now=now)
    for holding in holdings():
        if not isinstance(holding.erase, NotNeeded):
            holding.erase(patients, now)
    record_access(actor=by, action=Action.DELETE, subject=patient, patient_id=patient.pk, now=now)


def require_erasable(patient: Patient, *, now: datetime) -> None:
    """Raise an ErasureRefused if the patient cannot be erased now."""
    if patient.merged_into_id or patient.erased_at:
        raise PatientErased("This record was merged or erased already.")
    for holding in holdings():
        if holding.refuse_erasure is not None:
            holding.refuse_erasure(patient, now)


def _lock_person(patient: Patient) -> Sequence[Patient]:
    # The patient first: after that, no other record can be merged into it. Merged records are locked by no one else.
    locked = Patient.objects.select_for_update().get(pk=patient.pk)
    return [locked, *Patient.objects.select_for_update().filter(merged_into=locked).order_by("pk")]
