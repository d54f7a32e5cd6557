"""The clinic of the fault tests: two therapists, overlapping start times, no minimum notice and no rate limit."""

import os

import django


def open_clinic() -> None:
    """Create the clinic, once, in an empty database."""
    from tests.factories import ClinicFactory, ServiceFactory, TherapistFactory
    from tests.world import give_hours

    ClinicFactory(
        minimum_notice_minutes=0,
        change_window_hours=0,
        bookings_a_day_per_network=0,  # all the clients come from this machine
    )
    service = ServiceFactory(slug="visit", minutes=30, start_step_minutes=15)
    for position, name in enumerate(("ada", "ben")):
        therapist = TherapistFactory(name=name.title(), slug=name, position=position)
        service.therapists.add(therapist)
        give_hours(therapist, weekdays=range(7), stretches=[(8, 18)])


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    django.setup()
    open_clinic()
