"""The clinic the clients storm: two therapists, visits whose times overlap one another, everything bookable at once."""

import os

import django


def open_clinic() -> None:
    """Once, on an empty database."""
    from booking.models import OpeningHours, Service
    from clinic.practice.models import Clinic, Therapist

    Clinic.objects.create(
        name="Storm Clinic",
        time_zone="America/New_York",
        minimum_notice_minutes=0,
        change_window_hours=0,
        bookings_a_day_per_network=0,  # all the clients come from this machine
    )
    service = Service.objects.create(
        slug="visit", name="Visit", summary="A visit.", minutes=30, start_step_minutes=15, turnover_minutes=15,
        price_cents=0,
    )  # fmt: skip
    for position, name in enumerate(("ada", "ben")):
        therapist = Therapist.objects.create(name=name.title(), slug=name, position=position)
        service.therapists.add(therapist)
        for weekday in range(7):
            OpeningHours.objects.create(therapist=therapist, weekday=weekday, opens="08:00", closes="18:00")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    django.setup()
    open_clinic()
