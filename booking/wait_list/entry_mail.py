"""Emails about a wait list entry, with a link to its page and a link to leave the list.

Anyone can have typed the address, so the emails name no service, visit or person.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from django.conf import settings

from booking.messages.samples import sample_values
from booking.models import WaitListEntry
from booking.schedule.clocks import clock_of_entry
from booking.time.day_parts import PARTS
from booking.wait_list.entries import entry_path
from clinic.outbox.messages.kinds import Email, Sample, TemplateText
from clinic.outbox.messages.rendering import render_email
from clinic.outbox.models import Message
from clinic.practice.models import Clinic
from clinic.practice.values.dates import format_days
from clinic.practice.values.phone import format_phone

FRAME = "booking_on_wait_list"
SAMPLE_URL = "https://clinic.example/waiting/…/"
BUTTON = "See or leave the wait list"


def render_entry_mail(
    message: Message, template: TemplateText | None, now: datetime, *, with_wish: bool = False
) -> Email:
    """Render the email as of `now`, and issue its link. `with_wish` adds the wished days and part of the day."""
    entry = WaitListEntry.objects.select_related("patient", "service", "appointment").get(pk=message.subject_id)
    clinic = Clinic.objects.current()
    clock = clock_of_entry(entry, clinic=clinic)
    url = settings.SITE_URL + entry_path(entry, clinic=clinic, now=now)
    email = render_email(
        message.kind,
        to=entry.patient.email,
        patient=entry.patient,
        guardian=entry.guardian_name,
        context={
            "phone": format_phone(clinic.phone, clinic.country) or "us",  # “call us”
            "clock_text": clock.description if with_wish else "",
            "wish_text": format_wish(entry, today=clock.day(now)) if with_wish else "",
            "button_url": url,
            "button_text": BUTTON,
        },
        clinic=clinic,
        template=template,
        frame=FRAME,
    )
    return replace(email, unsubscribe_url=f"{url}leave/")


def sample_entry(sample: Sample) -> Mapping[str, object]:
    """Return the context of a preview."""
    return {**sample_values(sample), "button_url": SAMPLE_URL, "button_text": BUTTON}


def format_wish(entry: WaitListEntry, *, today: date) -> str:
    """Format the wished days and part of the day: "Tue, Dec 1 – Thu, Dec 31, after work"."""
    part = PARTS[entry.part_of_day].label if entry.part_of_day else "any time of day"
    return f"{format_days(entry.first_on, entry.last_on, today=today)}, {part}"
