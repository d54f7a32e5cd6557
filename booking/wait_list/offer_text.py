"""Placeholders of the email and the page of a slot offer, such as the time, the place and how many others got one."""

from datetime import UTC, datetime, timedelta

from django.db.models import Q

from booking.messages.names import OFFER
from booking.messages.reader import reader_zone_of_entry
from booking.models import SlotOffer
from booking.schedule.clocks import clock_of_mode
from booking.schedule.local_time import format_place
from booking.time.intervals import Interval
from booking.wait_list.entries import next_visit_of
from clinic.outbox.models import Message, State
from clinic.practice.models import Clinic
from clinic.practice.values.dates import format_near_day
from clinic.practice.values.phone import format_phone

DAY = timedelta(days=1)


def offer_values(offer: SlotOffer, *, clinic: Clinic, now: datetime) -> dict:
    """Return the values of the offer's message and of the page behind its link."""
    entry = offer.entry
    visit = next_visit_of(entry, now=now)
    mode = visit.visit_mode if visit else entry.offered_mode  # a moved visit keeps its mode
    clock = clock_of_mode(mode, zone_name=reader_zone_of_entry(entry, visit), clinic=clinic)
    time = clock.time(offer.starts_at)
    return {
        "clinic": clinic,
        "phone": format_phone(clinic.phone, clinic.country) or "us",  # “call us”
        "when": time,
        "when_beside": clock.format_beside(offer.starts_at),
        "day": time.day,
        "time": time.clock_and_zone,
        "day_word": format_near_day(offer.starts_at, now=now, zone=clock.zone),
        "place": format_place(mode, clinic),
        "therapist": offer.therapist,
        "others": format_others(count_other_offers(offer, now=now)),
    }


def count_other_offers(offer: SlotOffer, *, now: datetime) -> int:
    """Count the other offers of the same freed time, or of times that overlap it in a gap, that were sent or are due."""
    if offer.freed_by_id is not None:
        others = SlotOffer.objects.filter(freed_by=offer.freed_by_id, freed_version=offer.freed_version)
        keys = set(others.exclude(pk=offer.pk).values_list("pk", flat=True))
    else:
        own = _visit_interval(offer)
        day = Interval(own.start - DAY, own.end + DAY)
        others = SlotOffer.objects.of_gaps(day).filter(therapist=offer.therapist_id).exclude(pk=offer.pk)
        keys = {one.pk for one in others.select_related("entry__service") if _visit_interval(one).overlaps(own)}
    messages = Message.objects.filter(kind=OFFER, subject_id__in=keys)
    return messages.filter(Q(state=State.SENT) | Q(state__in=(State.WAITING, State.SENDING), due_at__lte=now)).count()


def _visit_interval(offer: SlotOffer) -> Interval:
    return offer.entry.service.shape.visit(offer.starts_at.astimezone(UTC))


def format_others(count: int) -> str:
    """Return sentences that say how many other patients are notified of the freed time."""
    if not count:
        return "You are the first to hear of it; others may follow. The first to say yes gets it."
    return f"We are telling {'1 other person' if count == 1 else f'{count} others'} too. The first to say yes gets it."
