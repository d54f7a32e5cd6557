"""Check and take a slot offer. The first taker gets the time."""

from contextlib import AbstractContextManager
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from booking.actions.book import BookingRequest, Contact, book_in_locked_schedule
from booking.actions.change import is_changeable, move_appointment
from booking.models import Appointment, SlotOffer, WaitListEntry
from booking.schedule.earlier_visits import require_earlier_visit
from booking.schedule.errors import BusyTryAgain, NotOfferedBecause, OfferOver, SlotNotOffered
from booking.schedule.locking import locked_schedules
from booking.schedule.rules import lock_patient, require_free
from booking.schedule.slots import Slot
from booking.wait_list.entries import next_visit_of
from clinic.practice.access.links import issue_link
from clinic.practice.models import Clinic, LinkPurpose, Proof

Status = WaitListEntry.Status
# Staff may offer a gap although patients cannot book it online: soon, far ahead, or in hours by phone only.
WAIVED = frozenset({NotOfferedBecause.NOTICE, NotOfferedBecause.HORIZON, NotOfferedBecause.KEPT})


def _waived(offer: SlotOffer) -> frozenset[NotOfferedBecause]:
    return WAIVED if offer.freed_by_id is None else frozenset()


def require_open(offer: SlotOffer, *, clinic: Clinic, now: datetime) -> Appointment | None:
    """Return the later visit that taking `offer` would move, or None.

    Raises OfferOver, SlotTaken, SlotNotOffered or NeedsEarlierVisit if the offer can no longer be taken. Reliable only
    while the caller has locked the schedule.
    """
    entry = offer.entry
    if entry.status != Status.WAITING:
        raise OfferOver
    visit = next_visit_of(entry, now=now)
    if visit is not None and (visit.starts_at <= offer.starts_at or not is_changeable(visit, clinic=clinic, now=now)):
        raise OfferOver
    if visit is None:
        require_earlier_visit(service=entry.service, patient=entry.patient, starts_at=offer.starts_at)
    if now >= offer.expires_at:
        raise SlotNotOffered(NotOfferedBecause.NOTICE)
    require_free(
        slot=Slot(entry.service, offer.therapist, offer.starts_at),
        mode=visit.mode if visit else entry.offered_mode.name,
        now=now,
        clinic=clinic,
        in_place_of=visit,
        patient=entry.patient,
        waived=_waived(offer),
    )
    return visit


def take_offer(*, offer: SlotOffer, version: int | None = None, now: datetime) -> Appointment:
    """Move the patient's later visit to the offered time, or book a visit there. Idempotent.

    The entry is then served. `version` is the later visit's version on the page that sent the request. As for any
    booking, the schedule's lock and the exclusion constraint decide which request is first.

    Raises OfferOver, SlotTaken, SlotNotOffered, NeedsEarlierVisit, VisitChanged or BusyTryAgain, in which case nothing
    was written and the entry is unchanged.
    """
    before = next_visit_of(offer.entry, now=now)
    with _schedules_of(offer, before):
        lock_patient(offer.entry.patient_id)
        WaitListEntry.objects.select_for_update(no_key=True).get(pk=offer.entry_id)
        offer = SlotOffer.objects.select_related("therapist", "entry__service", "entry__patient").get(pk=offer.pk)
        entry = offer.entry
        if offer.taken_at is not None and entry.appointment_id is not None:
            return Appointment.objects.select_related("patient").get(pk=entry.appointment_id)
        visit = require_open(offer, clinic=Clinic.objects.current(), now=now)
        if visit != before or (visit and before and visit.therapist_id != before.therapist_id):
            raise BusyTryAgain  # booked or moved a moment ago, in a schedule that is not locked
        taken = _move(visit, offer, version, now) if visit else _book(offer, now)
        offer.taken_at = entry.ended_at = now
        entry.status, entry.appointment = Status.SERVED, taken
        entry.save(update_fields=["status", "appointment", "ended_at"])
        offer.save(update_fields=["taken_at"])
        return taken


def _schedules_of(offer: SlotOffer, visit: Appointment | None) -> AbstractContextManager[None]:
    return locked_schedules({offer.therapist_id, visit.therapist_id if visit else offer.therapist_id})


def _move(visit: Appointment, offer: SlotOffer, version: int | None, now: datetime) -> Appointment:
    return move_appointment(
        appointment=visit,
        starts_at=offer.starts_at,
        therapist=offer.therapist,
        waived=_waived(offer),
        version=version,
        now=now,
    )


def _book(offer: SlotOffer, now: datetime) -> Appointment:
    entry = offer.entry
    booking = BookingRequest(
        slot=Slot(entry.service, offer.therapist, offer.starts_at),
        mode=entry.offered_mode.name,
        contact=Contact(
            name=entry.patient.name,
            email=entry.patient.email,
            phone=entry.patient.phone,
            time_zone="" if entry.offered_mode.is_by_clinics_clock else entry.patient.time_zone,
            patient=entry.patient,
        ),
        idempotency_key=offer.pk,
        waived=_waived(offer),
    )
    return book_in_locked_schedule(booking=booking, now=now)


def offer_url(offer: SlotOffer, *, now: datetime) -> str:
    """Issue a link for the offer's email, and return the URL of the page on which the offer can be taken."""
    token = issue_link(
        patient=offer.entry.patient,
        purpose=LinkPurpose.OFFER,
        subject_id=offer.pk,
        proof=Proof.MAILED,
        expires_at=offer.starts_at,
        now=now,
    )
    return settings.SITE_URL + reverse("booking:offer", args=[token])
