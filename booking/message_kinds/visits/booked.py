"""The booking confirmation, with a calendar entry."""

from collections.abc import Mapping
from datetime import datetime

from booking.messages.buttons import VisitLinks
from booking.messages.names import BOOKED
from booking.messages.visit_mail import VisitKind, change_terms
from booking.models import Appointment
from booking.schedule.local_time import format_guardian_note
from clinic.outbox.messages.kinds import TemplateText
from clinic.practice.models import Clinic


def _extras(appointment: Appointment, links: VisitLinks, clinic: Clinic, now: datetime) -> Mapping[str, object]:
    return {
        **change_terms(appointment, links, clinic, now),
        "not_me_url": f"{links.visit}cancel/" if appointment.booked_patient.is_provisional else "",
        "minor_note": format_guardian_note(appointment),
    }


KIND = VisitKind(
    name=BOOKED,
    title="Booking confirmation",
    template=TemplateText(
        "You are booked: {day}, {time}",
        "You are booked. If your plans change, the link below lets you move or cancel.",
    ),
    respects_quiet_hours=False,
    has_calendar=True,
    extras=_extras,
    text_message="{clinic}: you are booked {day_word}, {time}. To move or cancel, call {phone}. STOP ends texts.",
    is_texted_without_mail=True,
)
