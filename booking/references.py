"""Names for visits that nobody has yet."""

from booking.models import Appointment
from booking.models.appointment import new_reference


def free_reference() -> str:
    """A reference that no visit has. Two at once can still draw the same one; then the constraint decides."""
    reference = new_reference()
    while Appointment.objects.filter(reference=reference).exists():
        reference = new_reference()
    return reference
