"""Helpers for wait list entries, their offers, and the messages about both."""

from datetime import date, timedelta

from booking.models import SlotOffer
from booking.wait_list.entries import Wishes, join_as_visitor, join_wait_list
from clinic.outbox.models import Message
from tests.world import NINE_ON_TUESDAY, NOW, book

FREED_AT = timedelta(minutes=3)  # from a cancellation until it can no longer be undone
DECEMBER = Wishes(date(2026, 11, 23), date(2026, 12, 31))


def wait(service, name="Walter Waiting", *, wishes=DECEMBER, now=NOW, **changes):
    """Join the wait list without a visit."""
    who = {"name": name, "email": f"{name.split()[0].lower()}@example.com", "phone": "+16035550188"}
    place = {"service": service, "mode": service.offered_modes[0], "therapist": None}
    return join_as_visitor(**who | place | changes, wishes=wishes, now=now)


def wait_with(visit, *, wishes=DECEMBER, now=NOW):
    """Ask for something earlier than `visit`."""
    return join_wait_list(
        patient=visit.patient,
        service=visit.service,
        mode=visit.mode,
        wishes=wishes,
        appointment=visit,
        now=now,
    )


def book_later(service, name="Walter Waiting", *, days=7, hours=0, **changes):
    """Book a visit `days` and `hours` after NINE_ON_TUESDAY."""
    return book(service, name=name, starts_at=NINE_ON_TUESDAY + timedelta(days=days, hours=hours), **changes)


def offers_by_name() -> dict[str, SlotOffer]:
    offers = SlotOffer.objects.select_related("entry__patient", "entry__service", "therapist")
    return {offer.entry.patient.name: offer for offer in offers}


def message_about(offer) -> Message:
    return Message.objects.get(subject_id=offer.pk, kind="booking_offer")


def joined_message(entry) -> Message:
    return Message.objects.get(subject_id=entry.pk, kind="booking_on_wait_list")
