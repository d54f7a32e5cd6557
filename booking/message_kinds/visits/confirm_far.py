"""The message that asks whether the patient is still coming to a visit that was booked far ahead."""

from datetime import datetime, timedelta

from booking.messages.buttons import ask_whether_coming
from booking.messages.relevance import why_confirming_unwanted
from booking.messages.visit_mail import VisitKind
from booking.models import Appointment
from clinic.outbox.messages.kinds import TemplateText, Timing

FAR_OFF = timedelta(weeks=3)
CONFIRM_FAR = "booking_confirm_far"


def _is_far_off(appointment: Appointment, now: datetime) -> bool:
    return appointment.starts_at > now + FAR_OFF


KIND = VisitKind(
    name=CONFIRM_FAR,
    title=f"Still coming? (booked {FAR_OFF.days // 7} weeks ahead or more)",
    timing=Timing.BEFORE,
    minutes=7 * 24 * 60,
    template=TemplateText(
        "Will you be there {day_word}?",
        "You booked this visit a while ago. It is {day_word} at {time}. Please tell us whether you will be there.",
    ),
    is_for=_is_far_off,
    relevance=why_confirming_unwanted,
    given_up=timedelta(days=3),
    respects_quiet_hours=True,
    is_reminder=True,
    buttons=ask_whether_coming,
    text_message="{clinic}: will you be there {day_word}, {time}? Reply Y for yes, C if you can't. STOP ends texts. "
    "Call {phone}",
    text_asks_whether_coming=True,
)
