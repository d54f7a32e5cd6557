"""The email that confirms a wait list entry made by a visitor, with the wishes and a link to leave the list.

It is also sent to a patient's new address.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from booking.messages.names import ON_WAIT_LIST
from booking.messages.samples import PLACEHOLDERS
from booking.models import WaitListEntry
from booking.schedule.clocks import Clock
from booking.wait_list.entry_mail import FRAME, render_entry_mail, sample_entry
from clinic.outbox.messages.kinds import MessageKind, Sample, TemplateText, Timing
from clinic.outbox.messages.rendering import sample_clinic
from clinic.outbox.models import Message

SAMPLE_WISH = "Tue, Dec 1 – Thu, Dec 31, after work"


def _why_unwanted(message: Message, now: datetime) -> str | None:
    is_waiting = WaitListEntry.objects.waiting().filter(pk=message.subject_id).exists()
    return None if is_waiting else "the patient has left the wait list"


def _samples(sample: Sample) -> Mapping[str, object]:
    clock_text = Clock(sample_clinic(sample).zone).description
    return {**sample_entry(sample), "clock_text": clock_text, "wish_text": SAMPLE_WISH}


KIND = MessageKind(
    name=ON_WAIT_LIST,
    title="Wait list: joined",
    timing=Timing.AT_ONCE,
    template=TemplateText(
        "You are on the wait list",
        "You, or someone using your address, asked us to tell you when a time opens up. We email you as soon as one works for you. "
        "The first to say yes gets it.",
    ),
    placeholders={name: PLACEHOLDERS[name] for name in ("clinic", "phone")},
    frame=FRAME,
    samples=_samples,
    render=partial(render_entry_mail, with_wish=True),
    relevance=_why_unwanted,
    respects_quiet_hours=False,  # the visitor sent the form a moment ago
)
