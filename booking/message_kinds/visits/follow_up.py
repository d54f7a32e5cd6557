"""The message after a visit."""

from datetime import timedelta

from booking.messages.buttons import book_again
from booking.messages.relevance import why_follow_up_unwanted
from booking.messages.visit_mail import VisitKind
from clinic.outbox.messages.kinds import TemplateText, Timing

FOLLOW_UP = "booking_follow_up"
KIND = VisitKind(
    name=FOLLOW_UP,
    title="Follow-up after the visit",
    timing=Timing.AFTER,
    minutes=24 * 60,
    template=TemplateText(
        "Thank you for your visit at {clinic}",
        "Thank you for coming. Do you have a question? Reply to this message or call us. You can book another visit below.",
    ),
    relevance=why_follow_up_unwanted,
    given_up=timedelta(days=3),
    respects_quiet_hours=True,
    is_about_visit=False,
    buttons=book_again,
)
