"""Generate unused visit references, and find visits by reference."""

from uuid import UUID

from booking.models import Appointment
from booking.models.appointment import new_reference


def visits_by_reference(text: str) -> list[UUID]:
    """Return the ids of the visits with the reference `text`, with or without "RC-"; at most one."""
    references = [text.strip().upper(), f"RC-{text.strip().upper()}"]
    return list(Appointment.objects.filter(reference__in=references).values_list("pk", flat=True))


def free_reference() -> str:
    """Generate an unused reference.

    If two requests generate the same one, the unique constraint rejects the second.
    """
    reference = new_reference()
    while Appointment.objects.filter(reference=reference).exists():
        reference = new_reference()
    return reference
