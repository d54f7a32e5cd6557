"""The first reminder of a visit."""

from datetime import timedelta

from booking.messages.buttons import ask_whether_coming
from booking.messages.visit_mail import VisitKind
from clinic.outbox.messages.kinds import TemplateText, Timing

REMINDER_48H = "booking_reminder_48h"
KIND = VisitKind(
    name=REMINDER_48H,
    title="First reminder",
    timing=Timing.BEFORE,
    minutes=2 * 24 * 60,
    template=TemplateText(
        "Your visit {day_word}, {time}",
        "Your visit is {day_word} at {time}. Please tell us below whether you will be there.",
    ),
    given_up=timedelta(hours=6),
    respects_quiet_hours=True,
    is_reminder=True,
    buttons=ask_whether_coming,
    text_message="{clinic}: your visit is {day_word}, {time}. Reply Y if you come, C if you can't. STOP ends texts. "
    "Call {phone}",
    text_asks_whether_coming=True,
)
