"""Wait list entries that no time can be offered to: staff see them, and the patients are asked to call.

A service that is no longer booked online, or a therapist who left, frees no time for them. The entry stays, in case that
changes. Like every mail about the list, this one names no service, no visit and no person.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef

from booking.messages.kinds import ON_WAIT_LIST, PLACEHOLDERS, WAIT_STUCK, sample_clinic, sample_values
from booking.models import WaitListEntry
from booking.wait_list.entries import alive_entries, entry_path
from clinic.outbox.messages.kinds import Email, MessageKind, Reworded, Sample, Timing, Words, register_kind
from clinic.outbox.messages.message_rules import words_of
from clinic.outbox.messages.planning import draft_message, plan_messages
from clinic.outbox.messages.rendering import render_email
from clinic.outbox.models import Message, State
from clinic.practice.models import Clinic, Patient, Therapist, User
from clinic.practice.values.phone import format_phone

TOLD_AFTER = timedelta(hours=1)  # staff may be in the middle of changing a service
USEFUL_FOR = timedelta(days=3)
WORDS = Words(
    "About the wait list: please call us",
    "You asked us to tell you when a time gets free. What you asked for can't be booked online right now, so we have no "
    "times to offer you here. Please call {phone} and we will find a time with you. You keep your place on the list in case "
    "that changes.",
)
BUTTON = "See what you wait for, or leave"


def stuck_entries(*, now: datetime):
    """The entries that are alive and can be offered nothing, the longest waiting first."""
    return alive_entries(now=now).knowing_if_stuck().filter(is_stuck=True).order_by("created_at", "pk")


def why_stuck(entry: WaitListEntry) -> str | None:
    """Why nothing can be offered, in words for staff; None if something can."""
    able = Therapist.objects.active().filter(services=entry.service_id)
    if not entry.service.is_bookable:
        return "the service is no longer booked online"
    if entry.therapist_id is not None and not able.filter(pk=entry.therapist_id).exists():
        return f"{entry.therapist.name} no longer does this"
    return None if able.exists() else "no therapist does this now"


def count_stuck(*, user: User, now: datetime) -> int:
    """Return how many are stuck, for Today; 0 for a `user` without the right to see the wait list."""
    return stuck_entries(now=now).count() if user.has_perm("booking.view_waitlistentry") else 0


def tell_who_is_stuck(*, now: datetime) -> int:
    """Plan a mail for each stuck entry whose patient was not told yet. Returns how many."""
    told = Message.objects.filter(kind=WAIT_STUCK, subject_id=OuterRef("pk"))
    untold = (
        stuck_entries(now=now).exclude(Exists(told.exclude(state=State.SKIPPED))).select_related("patient", "service")
    )
    drafts = [_draft(entry, now) for entry in untold]
    plan_messages(drafts)
    return len(drafts)


def _draft(entry: WaitListEntry, now: datetime) -> Message:
    due_at = now + TOLD_AFTER
    return draft_message(
        kind=WAIT_STUCK,
        subject_id=entry.pk,
        version=Message.objects.filter(kind=WAIT_STUCK, subject_id=entry.pk).count() + 1,
        patient=entry.patient,
        scope=entry.service.slug,
        due_at=due_at,
        not_after=due_at + USEFUL_FOR,
        now=now,
    )


def why_telling_unwanted(message: Message, now: datetime) -> str | None:
    """Relevance check: None while the entry is stuck."""
    is_stuck = stuck_entries(now=now).filter(pk=message.subject_id).exists()
    return None if is_stuck else "the patient can be offered times, or no longer waits"


def render_stuck(message: Message, now: datetime) -> Email:
    """The mail, as things stand at `now`. Issues the link it holds."""
    entry, clinic = WaitListEntry.objects.select_related("patient").get(pk=message.subject_id), Clinic.objects.current()
    entry_url = settings.SITE_URL + entry_path(entry, clinic=clinic, now=now)
    phone = format_phone(clinic.phone, clinic.country) or "us"  # “call us”
    email = _fill(
        {"phone": phone},
        to=entry.patient.email,
        patient=entry.patient,
        url=entry_url,
        clinic=clinic,
        words=words_of(message),
    )
    return replace(email, unsubscribe_url=f"{entry_url}leave/")


def register_stuck_message() -> None:
    """Tell the outbox of the kind. Called once, when the app is ready."""
    register_kind(
        MessageKind(
            name=WAIT_STUCK,
            render=render_stuck,
            still_wanted=why_telling_unwanted,
            respects_quiet_hours=True,
            reworded=Reworded(
                title="Wait list: nothing to offer",
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
    return _fill(sample_values(sample), to="alice@example.com", url=url, clinic=sample_clinic(sample), words=words)


def _fill(values: dict, *, to: str, url: str, clinic: Clinic, words: Words, patient: Patient | None = None) -> Email:
    context = {**values, "clinic": clinic, "button_url": url, "button_text": BUTTON}
    return render_email(
        WAIT_STUCK, to=to, context=context, clinic=clinic, words=words, frame=ON_WAIT_LIST, patient=patient
    )
