"""What we write at once to an address that was put on the wait list by the form: that it is there, and how to leave.

Anybody may have typed the address, so the mail names no service, no visit and nobody, and its one link leads out.
"""

from dataclasses import replace
from datetime import datetime

from django.conf import settings

from booking.messages.kinds import ON_WAIT_LIST, PLACEHOLDERS, sample_clinic, sample_values
from booking.models import WaitListEntry
from booking.schedule.clocks import Clock, clock_of_entry
from booking.schedule.local_time import short_day_words
from booking.time.day_parts import PARTS
from booking.wait_list.entries import entry_path
from clinic.outbox.messages.kinds import Email, MessageKind, Reworded, Sample, Timing, Words, register_kind
from clinic.outbox.messages.message_rules import words_of
from clinic.outbox.messages.rendering import render_email
from clinic.outbox.models import Message
from clinic.practice.models import Clinic, Patient
from clinic.practice.values.phone import format_phone

WORDS = Words(
    "You are on the wait list",
    "Somebody, we think you, asked us to tell you when a time gets free. We write as soon as one does that suits you. "
    "Whoever says yes first has it.",
)
SAMPLE_WISH = "Tue 1 Dec to Thu 31 Dec, after work"
BUTTON = "See what you wait for, or leave"


def why_joining_unwanted(message: Message, now: datetime) -> str | None:
    """Why nobody needs to hear any more that they are on the list."""
    is_waiting = WaitListEntry.objects.waiting().filter(pk=message.subject_id).exists()
    return None if is_waiting else "the patient is not on the wait list any more"


def render_joined(message: Message, now: datetime) -> Email:
    """The mail, as things stand at `now`. Issues the link it holds."""
    entry, clinic = (
        WaitListEntry.objects.select_related("patient", "service").get(pk=message.subject_id),
        Clinic.objects.current(),
    )
    entry_url = settings.SITE_URL + entry_path(entry, clinic=clinic, now=now)
    phone = format_phone(clinic.phone, clinic.country) or "us"  # “call us”
    clock_words = clock_of_entry(entry, clinic=clinic).words
    values = {"phone": phone, "clock_words": clock_words, "wish_words": wish_words(entry)}
    to, patient, words = entry.patient.email, entry.patient, words_of(message)
    email = _fill(values, to=to, url=entry_url, clinic=clinic, words=words, patient=patient)
    return replace(email, unsubscribe_url=f"{entry_url}leave/")


def wish_words(entry: WaitListEntry) -> str:
    """Like "Tue 1 Dec to Thu 31 Dec, after work": which days and part of the day somebody waits for."""
    part = PARTS[entry.part_of_day].words if entry.part_of_day else "any time of day"
    return f"{short_day_words(entry.first_on)} to {short_day_words(entry.last_on)}, {part}"


def register_joined_message() -> None:
    """Tell the outbox of the kind. Called once, when the app is ready."""
    register_kind(
        MessageKind(
            name=ON_WAIT_LIST,
            render=render_joined,
            still_wanted=why_joining_unwanted,
            respects_quiet_hours=False,  # they pressed the button a moment ago
            reworded=Reworded(
                title="Wait list: joined",
                timing=Timing.AT_ONCE,
                words=WORDS,
                placeholders={name: PLACEHOLDERS[name] for name in ("clinic", "phone")},
                preview=_preview,
                samples=sample_values,
            ),
        )
    )


def _preview(words: Words, sample: Sample) -> Email:
    url = "https://clinic.example/waiting/…/"
    clinic = sample_clinic(sample)
    values = {**sample_values(sample), "clock_words": Clock(clinic.zone).words, "wish_words": SAMPLE_WISH}
    return _fill(values, to="alice@example.com", url=url, clinic=clinic, words=words)


def _fill(values: dict, *, to: str, url: str, clinic: Clinic, words: Words, patient: Patient | None = None) -> Email:
    context = {**values, "clinic": clinic, "button_url": url, "button_text": BUTTON}
    return render_email(
        ON_WAIT_LIST, to=to, context=context, clinic=clinic, words=words, frame=ON_WAIT_LIST, patient=patient
    )
