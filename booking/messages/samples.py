"""Placeholders of messages about visits, and their values in previews."""

from clinic.outbox.messages.kinds import Sample
from clinic.outbox.messages.rendering import sample_clinic
from clinic.outbox.text.gsm import length, to_gsm
from clinic.practice.models import Clinic
from clinic.practice.values.phone import format_phone

PLACEHOLDERS = {
    "day_word": "today, tomorrow or on Tuesday, December 1, as the reader would say it when the message is sent",
    "day": "Tuesday, December 1, by the reader’s calendar",
    "time": "9:00 AM EST, by the reader’s clock",
    "when": "Tuesday, December 1, 9:00 AM EST, by the reader’s clock",
    "place": "the clinic’s address, or who calls whom",
    "therapist": "the therapist’s name",
    "reference": "RC-7K3M9Q",
    "clinic": "the clinic’s name",
    "phone": "the clinic’s phone number",
}

LONGEST_ADDRESS_IN_A_TEXT = 32  # characters, so that it fits into one text with the rest


def short_address(clinic: Clinic) -> str:
    """Return the clinic's street and city, or only the street, or "a new address": the first that is short enough.

    The limit is `LONGEST_ADDRESS_IN_A_TEXT`. The address is never truncated.
    """
    parts = [to_gsm(part) for part in (clinic.street, clinic.city) if part.strip()]
    for address in (", ".join(parts), parts[0] if clinic.street.strip() else ""):
        if address and length(address) <= LONGEST_ADDRESS_IN_A_TEXT:
            return address
    return "a new address"


def sample_values(sample: Sample) -> dict[str, object]:
    """Return the values of the placeholders in a preview."""
    return _samples(sample_clinic(sample))[sample]


def _samples(clinic: Clinic) -> dict[Sample, dict[str, object]]:
    return {
        Sample.EVERYDAY: {
            "day_word": "tomorrow",
            "day": "Tuesday, December 1",
            "time": "9:00 AM EST",
            "when": "Tuesday, December 1, 9:00 AM EST",
            "place": ", ".join(part for part in (clinic.name, clinic.street, clinic.city) if part),
            "therapist": "Nora Field, PT",
            "change": "Your visit is moved",
            "news": "we moved your visit to Tuesday, December 1, 9:00 AM EST",
            "new_address": short_address(clinic),
            "reference": "RC-7K3M9Q",
            "clinic": clinic,
            "phone": format_phone(clinic.phone, clinic.country),
        },
        Sample.WORST: {
            "day_word": "on Wednesday, September 30",
            "day": "Wednesday, September 30",
            "time": "12:45 PM UTC+12:45",
            "when": "Wednesday, September 30, 12:45 PM UTC+12:45",
            "place": ", ".join((clinic.name, clinic.street, clinic.city, "W" * 80, "W" * 16)),
            "therapist": "W" * 120,
            "change": f"Your visit is moved, now with {'W' * 120}",
            "news": f"you are now with {'W' * 12} on Wednesday, September 30, 12:45 PM UTC+12:45",
            "new_address": "W" * LONGEST_ADDRESS_IN_A_TEXT,
            "reference": "RC-WWWWWW",
            "clinic": clinic,
            "phone": format_phone(clinic.phone, clinic.country),
        },
    }
