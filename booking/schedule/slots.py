"""A time with a therapist for a service: what is asked for, held, booked and offered."""

from dataclasses import dataclass
from datetime import UTC, datetime

from booking.models import Appointment, Service
from clinic.practice.models import Therapist


@dataclass(frozen=True)
class Slot:
    """Converts `starts_at` to UTC. Whether it is free is not known: see `booking.schedule.rules.require_free`."""

    service: Service
    therapist: Therapist
    starts_at: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts_at", self.starts_at.astimezone(UTC))

    def is_of(self, appointment: Appointment) -> bool:
        """Whether this is the service, therapist and start of a hold or a visit."""
        own = (self.service.pk, self.therapist.pk, self.starts_at)
        return own == (appointment.service_id, appointment.therapist_id, appointment.starts_at)
