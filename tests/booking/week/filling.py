"""A week with many visits."""

import uuid
from datetime import UTC, datetime, time, timedelta

from booking.models import Appointment
from clinic.practice.models import Patient
from tests.factories import ServiceFactory
from tests.world import DAY, NOW, TUESDAY, make_therapist

A_DAY = 25  # visits of one therapist
MONDAY = TUESDAY - DAY


def fill_week(number: int) -> None:
    """Create `number` visits of 15 minutes in the week of TUESDAY, by as many therapists as it takes. Fixed length."""
    service = ServiceFactory(slug="short", minutes=15, start_step_minutes=15, turnover_minutes=5)
    visits = []
    patients = Patient.objects.bulk_create(
        Patient(name=f"Runner Number {place}", email=f"r{place}@example.com", created_at=NOW) for place in range(number)
    )
    for place, patient in enumerate(patients):
        therapist_number, rest = divmod(place, 5 * A_DAY)
        if rest == 0:
            therapist = make_therapist(f"Bart{therapist_number}", position=therapist_number)
            service.therapists.add(therapist)
        day, slot = divmod(rest, A_DAY)
        starts_at = datetime.combine(MONDAY + day * DAY, time(13), tzinfo=UTC) + timedelta(minutes=20 * slot)
        ends_at = starts_at + timedelta(minutes=15)
        visits.append(
            Appointment(
                reference=f"W{place:07d}",
                therapist=therapist,
                patient=patient,
                service=service,
                mode="in_person",
                starts_at=starts_at,
                ends_at=ends_at,
                blocked=(starts_at, ends_at + timedelta(minutes=5)),
                status="booked",
                idempotency_key=uuid.uuid4(),
                price_cents=service.price_cents,
                created_at=NOW,
            )
        )
    Appointment.objects.bulk_create(visits)
