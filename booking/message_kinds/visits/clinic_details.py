"""The email about the clinic's new name or phone number, to patients with an upcoming visit."""

from booking.messages.names import CLINIC_DETAILS
from booking.messages.relevance import why_clinic_news_unwanted
from booking.messages.visit_mail import VisitKind
from clinic.outbox.messages.kinds import TemplateText

KIND = VisitKind(
    name=CLINIC_DETAILS,
    title="The clinic has a new name or phone number",
    template=TemplateText(
        "New clinic details for your visit on {day}, {time}",
        "Our name or phone number has changed: we are {clinic}, and you can call {phone}. Your visit stays on {day}, {time}. "
        "The calendar entry in this message replaces the one you have.",
    ),
    relevance=why_clinic_news_unwanted,
    respects_quiet_hours=False,
    has_calendar=True,
)
