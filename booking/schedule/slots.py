"""A slot: a service, a therapist and a start time."""

from dataclasses import dataclass
from datetime import UTC, datetime

from booking.models import Appointment, Service
from clinic.practice.models import Therapist


@dataclass(frozen=True)
class Slot:
    """A slot, with `starts_at` converted to UTC.

    It may be taken already; `booking.schedule.rules.require_free` checks that.
    """

    service: Service
    therapist: Therapist
    starts_at: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts_at", self.starts_at.astimezone(UTC))

    def is_of(self, appointment: Appointment) -> bool:
        """Whether the hold or visit has this service, therapist and start."""
        own = (self.service.pk, self.therapist.pk, self.starts_at)
        return own == (appointment.service_id, appointment.therapist_id, appointment.starts_at)
