"""What we write to somebody who waits, when a time was freed. It names no service, no reason and nobody else."""

from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.db.models import Q

from booking.actions.take_offer import offer_url, require_open
from booking.messages.kinds import OFFER, PLACEHOLDERS, sample_clinic, sample_values
from booking.models import SlotOffer
from booking.schedule.clocks import clock_of_mode
from booking.schedule.errors import OfferOver, SlotNotOffered, SlotTaken
from booking.schedule.local_time import mode_words, near_day_words
from booking.wait_list.entries import entry_path, next_visit_of
from booking.wait_list.slot_offers import has_had_enough
from clinic.outbox.messages.kinds import Email, MessageKind, Reworded, Sample, Timing, Words, register_kind
from clinic.outbox.messages.message_rules import words_of
from clinic.outbox.messages.rendering import render_email
from clinic.outbox.models import Message, State
from clinic.practice.models import Clinic
from clinic.practice.values.phone import format_phone

WORDS = Words(
    "A time is free: {day}, {time}",
    "You asked us to tell you when a time gets free. This one is {day_word} at {time}. {others} "
    "A visit you have already stays as it is until you say yes to this one.",
)
BUTTON = "See this time"


def find_offer(message: Message) -> SlotOffer | None:
    offers = SlotOffer.objects.select_related("therapist", "entry__service", "entry__patient")
    return offers.filter(pk=message.subject_id).first()


def why_offer_unwanted(message: Message, now: datetime) -> str | None:
    """Why this time must not be offered any more; None if it is still to be had."""
    offer = find_offer(message)
    if offer is None:
        return "the time was not freed after all"
    if has_had_enough(offer.entry.patient, now=now):
        return "the patient was told of enough times for a day"
    try:
        require_open(offer, clinic=Clinic.objects.current(), now=now)
    except OfferOver:
        return "the patient waits for nothing like it any more"
    except SlotTaken:
        return "the time is taken"
    except SlotNotOffered:
        return "the time is not offered any more"
    return None


def offer_values(offer: SlotOffer, *, clinic: Clinic, now: datetime) -> dict:
    """When and where an offered time is, in words: for the message, and for the page behind its link."""
    entry = offer.entry
    visit = next_visit_of(entry, now=now)
    mode = visit.mode if visit else entry.offered_mode  # a visit that is moved stays a call, or a visit in person
    zone_name = (visit.visitor_time_zone if visit else "") or entry.time_zone or entry.patient.time_zone
    clock = clock_of_mode(mode, zone_name=zone_name, clinic=clinic)
    time = clock.time(offer.starts_at)
    return {
        "clinic": clinic,
        "phone": format_phone(clinic.phone, clinic.country) or "us",  # “call us”
        "when": time,
        "when_beside": clock.beside_words(offer.starts_at),
        "day": time.day,
        "time": time.clock_and_zone,
        "day_word": near_day_words(offer.starts_at, now=now, zone=clock.zone),
        "place": mode_words(mode, clinic),
        "therapist": offer.therapist,
        "others": others_words(count_told(offer, now=now)),
    }


def count_told(offer: SlotOffer, *, now: datetime) -> int:
    """How many others were told of the same freed time, or are being told together with this reader."""
    others = SlotOffer.objects.filter(freed_by=offer.freed_by_id, freed_version=offer.freed_version).exclude(
        pk=offer.pk
    )
    messages = Message.objects.filter(kind=OFFER, subject_id__in=others.values("pk"))
    return messages.filter(Q(state=State.SENT) | Q(state__in=(State.WAITING, State.SENDING), due_at__lte=now)).count()


def others_words(count: int) -> str:
    """Whom else a reader competes with, in a sentence or two."""
    if not count:
        return "You are the first we tell; others may follow. Whoever says yes first has it."
    return (
        f"We are telling {'one other person' if count == 1 else f'{count} others'} too: whoever says yes first has it."
    )


def render_offer(message: Message, now: datetime) -> Email:
    """The mail, as things stand at `now`. Issues the links it holds."""
    offer, clinic = find_offer(message), Clinic.objects.current()
    entry_url = settings.SITE_URL + entry_path(offer.entry, clinic=clinic, now=now)
    links = {"button_url": offer_url(offer, now=now), "button_text": BUTTON, "leave_url": entry_url}
    email = render_email(
        OFFER,
        to=offer.entry.patient.email,
        patient=offer.entry.patient,
        context={**offer_values(offer, clinic=clinic, now=now), **links},
        clinic=clinic,
        words=words_of(message),
        frame=OFFER,
    )
    return replace(email, unsubscribe_url=f"{entry_url}leave/")


def register_offer_message() -> None:
    """Tell the outbox of the kind. Called once, when the app is ready."""
    register_kind(
        MessageKind(
            name=OFFER,
            render=render_offer,
            still_wanted=why_offer_unwanted,
            respects_quiet_hours=True,
            reworded=Reworded(
                title="Wait list: a time was freed",
                timing=Timing.AT_ONCE,
                words=WORDS,
                placeholders={
                    **{name: words for name, words in PLACEHOLDERS.items() if name != "reference"},
                    "others": "who else was told of this time, if anyone; and that the first yes has it",
                },
                preview=_preview,
                samples=_sample_values,
            ),
        )
    )


def _sample_values(sample: Sample) -> dict:
    return {**sample_values(sample), "others": others_words(4)}


def _preview(words: Words, sample: Sample) -> Email:
    links = {
        "button_url": "https://clinic.example/offers/…/",
        "button_text": BUTTON,
        "leave_url": "https://clinic.example/waiting/…/",
    }
    context = {**_sample_values(sample), "reference": "", "when_beside": "", **links}
    clinic = sample_clinic(sample)
    return render_email(OFFER, to="alice@example.com", context=context, clinic=clinic, words=words, frame=OFFER)
