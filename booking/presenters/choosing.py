"""Template contexts of the pages that choose a time: clock, part of the day, therapist."""

from django.http import Http404

from booking.browser.booking_choices import BookingChoices
from booking.models import Service
from booking.schedule.availability import FreeSlot
from booking.schedule.clocks import Clock, clock_of_service
from booking.time.day_parts import PARTS
from clinic.practice.models import Clinic, Therapist


def zone_context(service: Service, clinic: Clinic, choices: BookingChoices) -> dict:
    """Return the page's `Clock` and the values of the zone picker.

    Only services that offer a mode other than in person have a picker.
    """
    return {
        "clock": clock_of_service(service, clinic=clinic, zone_name=choices.zone_name),
        "has_zone_picker": not service.is_only_by_clinics_clock,
        "zones": choices.zones(clinic_zone_name=clinic.time_zone),
        "chosen_zone": choices.zone_name or clinic.time_zone,
    }


def choices_context(service: Service, choices: BookingChoices) -> dict:
    """Return the chosen therapist (None for any), and the therapists and parts of the day to choose from.

    With only one therapist, `therapist_choices` is empty. Raises Http404 for an unknown therapist slug.
    """
    therapists = list(Therapist.objects.active().filter(services=service))
    therapist = next((one for one in therapists if one.slug == choices.therapist_slug), None)
    if choices.therapist_slug and therapist is None:
        raise Http404
    whom = [("First available", "")] + [(one.name, one.slug) for one in therapists]
    return {
        "therapist": therapist,
        "therapist_choices": [
            {
                "label": label,
                "query": choices.changed(therapist_slug=slug).query,
                "is_chosen": slug == choices.therapist_slug,
            }
            for label, slug in whom
        ]
        if len(therapists) > 1
        else [],
        "part_choices": [
            {
                "label": part.label.capitalize() if part else "Any time",
                "query": choices.changed(part=part).query,
                "is_chosen": part == choices.part,
            }
            for part in (None, *PARTS.values())
        ],
    }


def suiting(slots: list[FreeSlot], clock: Clock, choices: BookingChoices) -> list[FreeSlot]:
    """Return the slots in the chosen part of the day, in the zone of the page. Return all if none is chosen."""
    if choices.part is None:
        return slots
    return [slot for slot in slots if choices.part.contains(slot.starts_at.astimezone(clock.zone))]
