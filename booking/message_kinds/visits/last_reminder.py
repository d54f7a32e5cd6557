"""The last reminder of a visit. If it is due in quiet hours, it is sent before they begin."""

from booking.messages.buttons import ask_whether_coming
from booking.messages.visit_mail import VisitKind
from clinic.outbox.messages.kinds import TemplateText, Timing

REMINDER_2H = "booking_reminder_2h"
KIND = VisitKind(
    name=REMINDER_2H,
    title="Last reminder",
    timing=Timing.BEFORE,
    minutes=120,
    template=TemplateText("Your visit {day_word}, {time}", "Your visit is {day_word} at {time}."),
    goes_before_night=True,
    respects_quiet_hours=True,
    is_reminder=True,
    buttons=ask_whether_coming,
    text_message="{clinic}: your visit is {day_word}, {time}. Can't come? Reply C or call {phone}. STOP ends texts.",
    text_asks_whether_coming=True,
)
