"""The references of visits: unused ones, and which visit has one."""

from uuid import UUID

from booking.models import Appointment
from booking.models.appointment import new_reference


def visits_called(words: str) -> list[UUID]:
    """The id of the visit with the reference `words`, with or without its "RC-", in a list; empty for any other words."""
    called = [words.strip().upper(), f"RC-{words.strip().upper()}"]
    return list(Appointment.objects.filter(reference__in=called).values_list("pk", flat=True))


def free_reference() -> str:
    """A reference that no visit has. Two at once can still draw the same one; then the constraint decides."""
    reference = new_reference()
    while Appointment.objects.filter(reference=reference).exists():
        reference = new_reference()
    return reference
