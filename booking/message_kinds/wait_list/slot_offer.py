"""The email that offers a freed time to a patient on the wait list. It names no service, reason or other person."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from django.conf import settings

from booking.actions.offers import offer_url, require_open
from booking.messages.names import OFFER
from booking.messages.samples import PLACEHOLDERS, sample_values
from booking.models import SlotOffer
from booking.schedule.errors import BookingRefused, OfferOver, SlotTaken
from booking.wait_list.entries import entry_path
from booking.wait_list.entry_mail import SAMPLE_URL
from booking.wait_list.offer_text import format_others, offer_values
from booking.wait_list.slot_offers import is_over_daily_limit
from clinic.outbox.messages.kinds import Email, MessageKind, Sample, TemplateText, Timing
from clinic.outbox.messages.rendering import render_email
from clinic.outbox.models import Message
from clinic.practice.models import Clinic

BUTTON = "See this time"
HAD_ENOUGH = "the patient was told of enough times for a day"
NO_LONGER_WAITS = "the patient no longer waits for such a time"
_offers = SlotOffer.objects.select_related("therapist", "entry__service", "entry__patient", "entry__appointment")


def _why_unwanted(message: Message, now: datetime) -> str | None:
    offer = _offers.filter(pk=message.subject_id).first()
    if offer is None:
        return "the time was not freed after all"
    if is_over_daily_limit(offer.entry.patient, now=now):
        return HAD_ENOUGH
    try:
        require_open(offer, clinic=Clinic.objects.current(), now=now)
    except OfferOver:
        return NO_LONGER_WAITS
    except SlotTaken:
        return "the time is taken"
    except BookingRefused:
        return "the time is no longer offered"
    return None


def _render(message: Message, template: TemplateText | None, now: datetime) -> Email:
    """Render the email as of `now`, and issue its links."""
    offer, clinic = _offers.get(pk=message.subject_id), Clinic.objects.current()
    entry_url = settings.SITE_URL + entry_path(offer.entry, clinic=clinic, now=now)
    links = {"button_url": offer_url(offer, now=now), "button_text": BUTTON, "leave_url": entry_url}
    email = render_email(
        OFFER,
        to=offer.entry.patient.email,
        patient=offer.entry.patient,
        guardian=offer.entry.guardian_name,
        context={**offer_values(offer, clinic=clinic, now=now), **links},
        clinic=clinic,
        template=template,
        frame=OFFER,
    )
    return replace(email, unsubscribe_url=f"{entry_url}leave/")


def _samples(sample: Sample) -> Mapping[str, object]:
    return {
        **sample_values(sample),
        "others": format_others(4),
        "reference": "",
        "when_beside": "",
        "button_url": "https://clinic.example/offers/…/",
        "button_text": BUTTON,
        "leave_url": SAMPLE_URL,
    }


KIND = MessageKind(
    name=OFFER,
    title="Wait list: a time was freed",
    timing=Timing.AT_ONCE,
    template=TemplateText(
        "A time is free: {day}, {time}",
        "You asked us to tell you when a time opens up. This one is {day_word} at {time}. {others} "
        "If you already have a visit, it stays as it is until you take this time.",
    ),
    placeholders={
        **{name: meaning for name, meaning in PLACEHOLDERS.items() if name != "reference"},
        "others": "how many others were told of this time, if any. The first to say yes gets it",
    },
    frame=OFFER,
    samples=_samples,
    render=_render,
    relevance=_why_unwanted,
    respects_quiet_hours=True,
)
