"""The message about a change of a visit's time, therapist or mode."""

from booking.messages.names import MOVED
from booking.messages.relevance import why_move_unwanted
from booking.messages.samples import PLACEHOLDERS
from booking.messages.visit_mail import VisitKind, change_terms
from clinic.outbox.messages.kinds import TemplateText

KIND = VisitKind(
    name=MOVED,
    title="Visit moved",
    template=TemplateText(
        "{change}: {day}, {time}",
        "Your visit has changed. Links in earlier messages no longer work.",
    ),
    placeholders={
        **PLACEHOLDERS,
        "change": "Your visit is moved, or: Your visit is now with Nora Field, PT",
        "news": "the same for a text: we moved your visit to Tuesday, December 1, 9:00 AM EST",
    },
    relevance=why_move_unwanted,
    respects_quiet_hours=False,
    is_news=True,
    has_calendar=True,
    tells_changes=True,
    extras=change_terms,
    text_message="{clinic}: {news}. Reply Y if you come, C if not. STOP ends texts. Call {phone}",
    text_asks_whether_coming=True,
)
