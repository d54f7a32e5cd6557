"""Offer a gap to the wait list and take that back, and check and take a slot offer. The first taker gets the time.

Offers of freed times are made by `booking.wait_list.slot_offers`. As for those, the message about an offered gap is due
at the end of `UNDO_FOR`. Staff decide that a gap may be filled, so that a patient can take it despite the rules of
`WAIVED`.
"""

from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from booking.actions.book import BookingRequest, Contact, book_in_locked_schedule
from booking.actions.change import is_changeable, move_appointment
from booking.messages.names import OFFER
from booking.messages.reader import reader_zone_of_entry
from booking.models import Appointment, SlotOffer, WaitListEntry
from booking.models.visit_states import UNDO_FOR
from booking.schedule.earlier_visits import require_earlier_visit
from booking.schedule.errors import (
    BookingRefused,
    BusyTryAgain,
    NotOfferedBecause,
    OfferOver,
    SlotNotOffered,
    SlotTaken,
)
from booking.schedule.locking import locked_schedules
from booking.schedule.rules import lock_patient, require_free
from booking.schedule.schedules import read_schedules
from booking.schedule.slots import Slot
from booking.time.intervals import Interval, subtract
from booking.wait_list.entries import next_visit_of
from booking.wait_list.matches import read_wait_list
from booking.wait_list.slot_offers import AT_ONCE, MOST_A_DAY, MOST_OFFERS, THEN_AFTER, offers_of_the_day, plan_offer
from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.outbox.messages.message_rules import rules_of
from clinic.outbox.messages.planning import withdraw_messages
from clinic.outbox.messages.suppressions import is_unsubscribed
from clinic.outbox.models import Channel, Message
from clinic.outbox.text.quiet_hours import QuietHours, end_of_quiet_hours
from clinic.practice.access.links import issue_link
from clinic.practice.access.rate_limits import mailbox_of
from clinic.practice.models import Clinic, LinkPurpose, Proof, Therapist, User
from clinic.practice.values.zones import known_zone

Status = WaitListEntry.Status
# Staff may offer a gap although patients cannot book it online: soon, or in hours by phone only.
WAIVED = frozenset({NotOfferedBecause.NOTICE, NotOfferedBecause.KEPT})
TAKEN_UNTIL = timedelta(hours=1)  # before a visit in an offered gap: the patient has to come to it


def _waived(offer: SlotOffer) -> frozenset[NotOfferedBecause]:
    return WAIVED if offer.freed_by_id is None else frozenset()


def offered_from(now: datetime) -> datetime:
    """Return the earliest start in a gap that can be offered: the message waits for `UNDO_FOR` before it is sent."""
    return now + UNDO_FOR + TAKEN_UNTIL


def offer_gap(*, therapist: Therapist, gap: Interval, by: User, clinic: Clinic, now: datetime) -> list[SlotOffer]:
    """Offer times in `gap`, which lies on one day, to the entries for which it has one, the longest waiting first.

    Each patient is offered the first time that suits them and that they could still take once the message is sent.
    Omitted are those whom no email reaches, who have MOST_A_DAY offers or another offer in the gap, or who could not
    take it, such as because their own visit is too near to be moved. Return the new offers, at most MOST_OFFERS. Raises
    SlotTaken if nothing of the gap is free, or BusyTryAgain.
    """
    offers: list[SlotOffer] = []
    with locked_schedules({therapist.pk}):
        day = gap.start.astimezone(clinic.zone).date()
        schedules = read_schedules(first_day=day, days=1, therapist=therapist, now=now, clinic=clinic)
        if not schedules or not subtract([gap], schedules[0].blocked + schedules[0].closed):
            raise SlotTaken
        wait_list = read_wait_list(now=now, clinic=clinic)
        starts = wait_list.starts_in(schedules[0], earliest=offered_from(now))
        told, offered = offers_of_the_day(now), SlotOffer.objects.patients_offered(gap)
        for one in wait_list.matching(gap, therapist, starts, clinic):
            entry, mailbox = one.entry, mailbox_of(one.email)
            if not one.email or told[mailbox] >= MOST_A_DAY or entry.patient_id in offered:
                continue
            due_at = _sent_at(entry, now + UNDO_FOR + THEN_AFTER * (len(offers) // AT_ONCE), clinic)
            starts_at = one.first_in(gap, starts, clinic, after=due_at + TAKEN_UNTIL)
            if starts_at is None:
                continue
            offer = SlotOffer(
                entry=entry,
                therapist=therapist,
                starts_at=starts_at,
                created_at=now,
                expires_at=starts_at - TAKEN_UNTIL,
            )
            if not _can_be_told(entry) or not _can_be_taken(offer, clinic=clinic, now=now):
                continue
            offers.append(plan_offer(offer, due_at=due_at, now=now))
            record_access(actor=by, action=Action.CREATE, subject=offer, patient_id=entry.patient_id, now=now)
            told[mailbox] += 1
            offered.add(entry.patient_id)
            if len(offers) == MOST_OFFERS:
                break
    return offers


def take_back_offers(*, therapist: Therapist, gap: Interval, by: User, now: datetime) -> int:
    """Withdraw and delete the offers of times in `gap` that have not been sent yet, and return their number.

    Raises BusyTryAgain.
    """
    count = 0
    with locked_schedules({therapist.pk}):
        offers = SlotOffer.objects.of_gaps(gap).filter(therapist=therapist, taken_at=None)
        for offer in offers.select_related("entry"):
            if withdraw_messages(subject_id=offer.pk, reason="staff took the offer back", now=now):
                record_access(actor=by, action=Action.DELETE, subject=offer, patient_id=offer.entry.patient_id, now=now)
                offer.delete()
                count += 1
    return count


def _can_be_told(entry: WaitListEntry) -> bool:
    """Whether an offer would be emailed to the patient: the message is not switched off, the address not blocked."""
    message = Message(kind=OFFER, channel=Channel.EMAIL, scope=entry.service.slug, patient=entry.patient)
    return rules_of([message])[message.pk].is_active and not is_unsubscribed(entry.patient)


def _can_be_taken(offer: SlotOffer, *, clinic: Clinic, now: datetime) -> bool:
    try:
        require_open(offer, clinic=clinic, now=now)
    except BookingRefused:
        return False
    return True


def _sent_at(entry: WaitListEntry, due_at: datetime, clinic: Clinic) -> datetime:
    """Return when a message due at `due_at` is sent: after the quiet hours of its reader."""
    zone = known_zone(reader_zone_of_entry(entry, next_visit_of(entry, now=due_at))) or clinic.zone
    return end_of_quiet_hours(due_at, QuietHours(clinic.quiet_from, clinic.quiet_until, zone))


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
