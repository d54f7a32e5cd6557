"""The message that asks the patient to choose another time, because the clinic cannot keep the present one."""

from booking.messages.buttons import choose_another_time
from booking.messages.names import ASKED_TO_MOVE
from booking.messages.relevance import why_request_unwanted
from booking.messages.visit_mail import VisitKind
from clinic.outbox.messages.kinds import TemplateText

KIND = VisitKind(
    name=ASKED_TO_MOVE,
    title="Please choose another time",
    template=TemplateText(
        "Please choose another time for your visit on {day}, {time}",
        "Your visit on {day}, {time} needs another time. Please choose one below. Until you do, your visit stays booked.",
    ),
    respects_quiet_hours=False,
    is_news=True,
    relevance=why_request_unwanted,
    buttons=choose_another_time,
    text_message="{clinic}: your visit {day_word}, {time} needs another time. Please call {phone}. STOP ends texts.",
)
