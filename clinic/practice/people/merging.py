"""Merge two rows of one patient: the rows of all rooms move to the kept one."""

from datetime import datetime

from django.db import transaction

from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.practice.models import Patient, User
from clinic.practice.registry.holdings import NotNeeded, holdings


class MergeRefused(Exception):
    """These two rows cannot be merged. The message is the reason, as a sentence for staff."""


class SamePatient(MergeRefused):
    """Both are the same row."""


class PatientGone(MergeRefused):
    """One of them was merged or erased meanwhile."""


class KeptPatientUnconfirmed(MergeRefused):
    """A known patient cannot be merged into a provisional one, which anyone may have typed."""


@transaction.atomic
def merge_patients(source: Patient, target: Patient, *, by: User, now: datetime) -> list[str]:
    """Merge `source` into `target`, because `by` knows that both are one person. Returns what could not be moved.

    All rows of `source` then belong to `target`. Of its own columns, `target` keeps those that are filled. The links of
    `source` keep working if both have one mailbox. Otherwise they are revoked, because a link proves a mailbox, and
    whoever reads the other mailbox must not see the kept patient's record; upcoming visits are confirmed to the kept
    address, with new links. The audit log is append-only: its entries about `source` stay under the ID of `source`, and
    `rows_of_person` finds both.

    Locks both patients by pk, then each room locks its rows. Raises a MergeRefused.
    """
    if source.pk == target.pk:
        raise SamePatient("This is one and the same record.")
    locked = Patient.objects.select_for_update().filter(pk__in=[source.pk, target.pk]).order_by("pk")
    rows = {row.pk: row for row in locked}
    if len(rows) < 2:
        raise PatientGone("One of these records is gone.")
    source, target = rows[source.pk], rows[target.pk]
    if any(row.merged_into_id or row.erased_at for row in (source, target)):
        raise PatientGone("One of these records was merged or erased meanwhile.")
    if target.is_provisional and not source.is_provisional:
        raise KeptPatientUnconfirmed("Keep the confirmed record: the other one is not confirmed yet.")
    left = move_record(source, target, now=now)
    if not source.is_provisional:
        _fill_in(source, target)
    record_access(actor=by, action=Action.UPDATE, subject=source, patient_id=target.pk, now=now)
    return left


def move_record(source: Patient, target: Patient, *, now: datetime) -> list[str]:
    """Give all rows of `source` to `target`, and mark `source` as merged. Returns what could not be moved.

    Both must be locked. An opt-in to first names is copied if both have one mailbox.
    """
    moved = (holding.repoint for holding in holdings())
    left = [
        sentence for repoint in moved if not isinstance(repoint, NotNeeded) for sentence in repoint(source, target, now)
    ]
    source.merged_into = target
    source.save(update_fields=["merged_into"])
    if source.first_name_since and not target.first_name_since and has_same_mailbox(source, target):
        target.first_name_since = source.first_name_since
        target.save(update_fields=["first_name_since"])
    return left


def has_same_mailbox(one: Patient, other: Patient) -> bool:
    """Whether both have the same email address. False without one."""
    return bool(one.email) and one.email.lower() == other.email.lower()


def _fill_in(source: Patient, target: Patient) -> None:
    """Copy the contact details that `target` lacks. The address is not copied: it belongs to the source's identity.

    Nor is a number with which the target would be the same person as a third patient, by the constraints on identity.
    """
    others = Patient.objects.current().known().exclude(pk=target.pk)
    is_taken = not target.email and others.filter(email="", phone=source.phone, name_key=target.name_key).exists()
    for column in ("birth_on", "time_zone") if is_taken else ("phone", "birth_on", "time_zone"):
        if not getattr(target, column):
            setattr(target, column, getattr(source, column))
    target.save(update_fields=["phone", "birth_on", "time_zone"])
