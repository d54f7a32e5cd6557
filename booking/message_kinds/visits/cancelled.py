"""The message that tells the patient that a visit is canceled. It withdraws the calendar entry."""

from dataclasses import replace

from booking.messages.buttons import VisitLinks, see_visit
from booking.messages.names import CANCELLED
from booking.messages.relevance import why_cancellation_unwanted
from booking.messages.visit_mail import VisitKind
from clinic.outbox.messages.kinds import TemplateText


def _see_cancelled_visit(links: VisitLinks) -> dict[str, str]:
    return see_visit(replace(links, is_standing=False, is_changeable=False, intake=""))


KIND = VisitKind(
    name=CANCELLED,
    title="Visit canceled",
    template=TemplateText(
        "Canceled: your visit on {day}, {time}",
        "This visit is canceled. You do not need to do anything.",
    ),
    relevance=why_cancellation_unwanted,
    respects_quiet_hours=False,
    is_news=True,
    buttons=_see_cancelled_visit,
    has_calendar=True,
    tells_changes=True,
    text_message="{clinic}: we are sorry, we had to cancel your visit {day_word}, {time}. Call {phone} for a new time. "
    "STOP ends texts.",
)
