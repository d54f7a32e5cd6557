"""`python -m clinic.local.proof.bookable_clinic`: create a clinic in the empty database of `make proof`."""

import os
import sys

import django

SERVICE = "first-visit"


def open_clinic() -> None:
    """Create a clinic that is open every day. Its service has an intake, so that booking a visit encrypts a value."""
    from booking.models import OpeningHours, Service
    from clinic.practice.models import Clinic, Therapist

    if Clinic.objects.exists():
        sys.exit("This database has a clinic already.")
    Clinic.objects.create(name="Proof Clinic", email="hello@clinic.example", time_zone="America/New_York")
    therapist = Therapist.objects.create(name="Pat Proof", slug="pat-proof", credentials="PT, DPT")
    for weekday in range(7):
        OpeningHours.objects.create(therapist=therapist, weekday=weekday, opens="08:00", closes="18:00")
    service = Service.objects.create(
        slug=SERVICE, name="First visit", summary="To begin with.", minutes=30, price_cents=0, intake_slug="call-intake"
    )
    service.therapists.add(therapist)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    django.setup()
    open_clinic()
