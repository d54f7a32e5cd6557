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
from clinic.practice.values.phone import format_phone

CANCELS = "Then we email you once more, to confirm it."
TELLS = "Then you get no more reminders of this visit."


def _extras(appointment: Appointment, links: VisitLinks, clinic: Clinic, now: datetime) -> Mapping[str, object]:
    return {
        **change_terms(appointment, links, clinic, now),
        **_not_me(appointment, links, clinic),
        "minor_note": format_guardian_note(appointment),
    }


def _not_me(appointment: Appointment, links: VisitLinks, clinic: Clinic) -> dict[str, str]:
    """Return the note and the link for a reader who did not book, or no link for a known patient.

    The link leads to the page that cancels the visit, or to the one that tells the clinic if it is too late to cancel
    online. Both pages offer what is possible when they are opened.
    """
    if not appointment.booked_patient.is_provisional:
        return {"not_me_url": ""}
    if links.is_changeable:
        return {"not_me_url": f"{links.visit}cancel/", "not_me_text": "Cancel the visit", "not_me_note": CANCELS}
    phone = format_phone(clinic.phone, clinic.country) or "us"
    note = f"It is too late to cancel online. You can also call {phone}. {TELLS}"
    return {"not_me_url": f"{links.visit}not-coming/", "not_me_text": "Tell the clinic", "not_me_note": note}


KIND = VisitKind(
    name=BOOKED,
    title="Booking confirmation",
    template=TemplateText(
        "You are booked: {day}, {time}",
        "You are booked.",
    ),
    respects_quiet_hours=False,
    has_calendar=True,
    extras=_extras,
    text_message="{clinic}: you are booked {day_word}, {time}. To move or cancel, call {phone}. STOP ends texts.",
    is_texted_without_mail=True,
)
