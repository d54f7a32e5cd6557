"""What the reports need to know of the clinic. Other rooms register it, since the audit log knows none of them."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from uuid import UUID

# For instants, those outside the clinic's opening hours.
FindAfterHours = Callable[[Sequence[datetime]], set[datetime]]
# For ids of users, the ids of the patients who have the name or the address of each.
FindOwnRecords = Callable[[Collection[UUID]], dict[UUID, set[UUID]]]
# For the id of a patient, the ids that were merged into it.
FindMerged = Callable[[UUID], list[UUID]]

_find_after_hours: list[FindAfterHours] = []
_find_own_records: list[FindOwnRecords] = []
_find_merged: list[FindMerged] = []


def register_opening_hours(find: FindAfterHours) -> None:
    """Register what "outside opening hours" means. For AppConfig.ready."""
    _find_after_hours[:] = [find]


def register_own_records(find: FindOwnRecords) -> None:
    """Register how to find the patients who may be a member of staff. For AppConfig.ready."""
    _find_own_records[:] = [find]


def register_merged(find: FindMerged) -> None:
    """Register how to find the earlier ids of a patient, since lines of the log never change. For AppConfig.ready."""
    _find_merged[:] = [find]


def find_after_hours(instants: Sequence[datetime]) -> set[datetime]:
    """Return those of `instants` that are outside opening hours. None of them if no room knows the hours."""
    return {instant for find in _find_after_hours for instant in find(instants)}


def find_own_records(user_ids: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """Return the ids of the patients who may be each user."""
    return {user: patients for find in _find_own_records for user, patients in find(user_ids).items()}


def ids_of_person(patient_id: UUID) -> list[UUID]:
    """Return the id of a patient and the ids that were merged into it."""
    return [patient_id, *(other for find in _find_merged for other in find(patient_id))]
