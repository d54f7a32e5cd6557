"""The email that asks a patient to call because no time can be offered for their wait list entry."""

from datetime import datetime

from booking.messages.names import WAIT_STUCK
from booking.messages.samples import PLACEHOLDERS
from booking.wait_list.entry_mail import FRAME, render_entry_mail, sample_entry
from booking.wait_list.stuck_entries import stuck_entries
from clinic.outbox.messages.kinds import MessageKind, TemplateText, Timing
from clinic.outbox.models import Message

NO_LONGER_STUCK = "the patient can be offered times, or no longer waits"


def _why_unwanted(message: Message, now: datetime) -> str | None:
    is_stuck = stuck_entries(now=now).filter(pk=message.subject_id).exists()
    return None if is_stuck else NO_LONGER_STUCK


KIND = MessageKind(
    name=WAIT_STUCK,
    title="Wait list: nothing to offer",
    timing=Timing.AT_ONCE,
    template=TemplateText(
        "About the wait list: please call us",
        "You asked us to tell you when a time opens up. What you asked for can't be booked online right now, so we have "
        "no times to offer you here. Please call {phone}, and we will find a time with you. You stay on the list in case "
        "that changes.",
    ),
    placeholders={name: PLACEHOLDERS[name] for name in ("clinic", "phone")},
    frame=FRAME,
    samples=sample_entry,
    render=render_entry_mail,
    relevance=_why_unwanted,
    respects_quiet_hours=True,
)
