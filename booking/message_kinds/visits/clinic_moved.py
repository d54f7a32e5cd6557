"""The message about the clinic's new address, to patients with an upcoming visit there."""

from booking.messages.names import CLINIC_MOVED
from booking.messages.relevance import why_clinic_news_unwanted
from booking.messages.samples import PLACEHOLDERS
from booking.messages.visit_mail import VisitKind
from clinic.outbox.messages.kinds import TemplateText

KIND = VisitKind(
    name=CLINIC_MOVED,
    title="The clinic has a new address",
    template=TemplateText(
        "The clinic has moved: your visit on {day}, {time}",
        "The clinic has moved. Your visit stays on {day}, {time}. It is now at {place}. Please go to the new address. "
        "The calendar entry in this message replaces the one you have.",
    ),
    placeholders={
        **PLACEHOLDERS,
        "new_address": "9 Lake Road, Laconia, or less where that is too long for a text",
    },
    relevance=why_clinic_news_unwanted,
    respects_quiet_hours=False,
    is_news=True,
    has_calendar=True,
    text_message="{clinic} moved to {new_address}. Your visit is still {day_word}, {time}. STOP ends texts. Call {phone}",
)
