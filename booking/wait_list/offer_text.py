"""What the mail and the page of a slot offer say of it: when and where it is, and who else was told."""

from datetime import datetime

from django.db.models import Q

from booking.messages.names import OFFER
from booking.messages.reader import reader_zone_of_entry
from booking.models import SlotOffer
from booking.schedule.clocks import clock_of_mode
from booking.schedule.local_time import format_place
from booking.wait_list.entries import next_visit_of
from clinic.outbox.models import Message, State
from clinic.practice.models import Clinic
from clinic.practice.values.dates import format_near_day
from clinic.practice.values.phone import format_phone


def offer_values(offer: SlotOffer, *, clinic: Clinic, now: datetime) -> dict:
    """The values of the message of an offer and of the page behind its link."""
    entry = offer.entry
    visit = next_visit_of(entry, now=now)
    mode = visit.visit_mode if visit else entry.offered_mode  # a visit that is moved stays a call, or a visit in person
    clock = clock_of_mode(mode, zone_name=reader_zone_of_entry(entry, visit), clinic=clinic)
    time = clock.time(offer.starts_at)
    return {
        "clinic": clinic,
        "phone": format_phone(clinic.phone, clinic.country) or "us",  # “call us”
        "when": time,
        "when_beside": clock.beside_words(offer.starts_at),
        "day": time.day,
        "time": time.clock_and_zone,
        "day_word": format_near_day(offer.starts_at, now=now, zone=clock.zone),
        "place": format_place(mode, clinic),
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
    """A sentence or two about who else was told."""
    if not count:
        return "You are the first we tell; others may follow. Whoever says yes first has it."
    return (
        f"We are telling {'one other person' if count == 1 else f'{count} others'} too: whoever says yes first has it."
    )
