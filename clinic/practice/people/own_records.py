"""Patients who may be a member of staff, and ids of merged patients, for the audit log."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Lower

from clinic.practice.models import Patient, User
from clinic.practice.models.patients import NameKey


def find_merged(patient_id: UUID) -> list[UUID]:
    """Return the ids of the patients that were merged into this one. One query."""
    return list(Patient.objects.filter(merged_into=patient_id).values_list("pk", flat=True))


def find_own_records(user_ids: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """Return the ids of the patients who have the name or the email address of each user. Two queries.

    Users have no phone number. A user without such a patient is left out.
    """
    users = (
        User.objects.filter(pk__in=user_ids).annotate(name_key=NameKey("name")).values_list("pk", "name_key", "email")
    )
    keys = {pk: (name_key, email) for pk, name_key, email in users}
    same = Patient.objects.alias(email_key=Lower("email")).filter(
        Q(name_key__in=[name for name, _ in keys.values()]) | Q(email_key__in=[email for _, email in keys.values()])
    )
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for patient_id, name_key, email in same.values_list("pk", "name_key", "email"):
        for user_id, (name, address) in keys.items():
            if name_key == name or (email and email.lower() == address):
                found[user_id].add(patient_id)
    return dict(found)
