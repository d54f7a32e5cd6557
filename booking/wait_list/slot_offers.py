"""Offer a freed time to patients on the wait list, in the transaction that frees it.

Each offer is a row. Its message is due at the end of `UNDO_FOR` or later, when a cancellation can no longer be undone.
Just before it is sent, a relevance check confirms that the time is still free. There is no periodic search for freed
times. The longest waiting patients are notified first, `AT_ONCE` at a time, and the first taker gets the time.

If a visit is moved again within `UNDO_FOR` of a move, only the time that it left first is offered. The times in between
were free before.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from booking.messages.names import OFFER
from booking.messages.reader import reader_zone_of_entry
from booking.models import Appointment, AppointmentEvent, Service, SlotOffer, WaitListEntry
from booking.models.visit_states import UNDO_FOR
from booking.schedule.availability import free_slots
from booking.schedule.rules import bookable_time
from booking.time.intervals import Interval
from booking.wait_list.entries import next_visit_of, wishes_of
from clinic.outbox.messages.planning import plan_message, postpone_messages, withdraw_messages
from clinic.outbox.models import Message, State
from clinic.practice.access.rate_limits import mailbox_of
from clinic.practice.models import Clinic, Patient, Therapist

AT_ONCE = 5  # offers of one freed time sent together
THEN_AFTER = timedelta(minutes=30)  # interval between these batches
MOST_OFFERS = 30  # offers of one freed time
MOST_A_DAY = 3  # offers to one mailbox
DAY = timedelta(days=1)


@dataclass(frozen=True)
class FreedTime:
    """The time of a visit before it was canceled or moved."""

    therapist: Therapist
    starts_at: datetime
    blocked: Interval
    moved_there_at: datetime | None

    def was_kept_for_a_moment(self, *, now: datetime) -> bool:
        """Whether the visit was moved there less than `UNDO_FOR` ago.

        The time was free until then, so it is not offered.
        """
        return self.moved_there_at is not None and now < self.moved_there_at + UNDO_FOR


def time_of(appointment: Appointment) -> FreedTime:
    """Return the time of `appointment`. Call it before a change."""
    blocked = Interval(appointment.blocked.lower, appointment.blocked.upper)
    here = {"starts_at": appointment.starts_at, "therapist": appointment.therapist_id}
    elsewhere = appointment.events.exclude(**here).last()
    if elsewhere is None:
        return FreedTime(appointment.therapist, appointment.starts_at, blocked, None)
    moves = appointment.events.filter(kind=AppointmentEvent.Kind.MOVED, pk__gt=elsewhere.pk)
    moved_there_at = moves.values_list("at", flat=True).first()
    return FreedTime(appointment.therapist, appointment.starts_at, blocked, moved_there_at)


def offer_freed_time(freed: FreedTime, *, freed_by: Appointment, clinic: Clinic, now: datetime) -> list[SlotOffer]:
    """Offer `freed`, the time freed by a change of `freed_by`, to suitable entries of other patients.

    Each entry is offered the freed start time, or the nearest suitable one that has become possible for its service.
    Earlier offers of times that `freed_by` freed are postponed until this change can no longer be undone. Return the
    new offers.
    """
    _postpone_offers(freed_by=freed_by, until=now + UNDO_FOR)
    if freed.was_kept_for_a_moment(now=now):
        return []
    day = freed.starts_at.astimezone(clinic.zone).date()
    candidates = WaitListEntry.objects.matching_slot(freed.starts_at, day=day, therapist=freed.therapist, now=now)
    candidates = candidates.exclude(patient__email="")  # offers are emailed; staff see entries without an address
    starts: dict[Service, list[datetime]] = {}
    offers: list[SlotOffer] = []
    told = offers_of_the_day(now)
    for entry in candidates.exclude(patient=freed_by.patient_id).select_related("service", "patient", "appointment"):
        if told[mailbox_of(entry.patient.email)] >= MOST_A_DAY:
            continue
        if entry.service not in starts:
            starts[entry.service] = _newly_free(freed, entry.service, clinic, now + UNDO_FOR)
        starts_at = next((start for start in starts[entry.service] if _suits(start, entry, clinic)), None)
        due_at = now + UNDO_FOR + THEN_AFTER * (len(offers) // AT_ONCE)
        if starts_at is not None and due_at < (expires_at := _too_near_from(starts_at, entry, clinic, now)):
            offer = SlotOffer(
                entry=entry,
                therapist=freed.therapist,
                starts_at=starts_at,
                freed_by=freed_by,
                freed_version=freed_by.version,
                created_at=now,
                expires_at=expires_at,
            )
            offers.append(plan_offer(offer, due_at=due_at, now=now))
            told[mailbox_of(entry.patient.email)] += 1
        if len(offers) == MOST_OFFERS:
            break
    return offers


def withdraw_offers(*, freed_by: Appointment, now: datetime) -> None:
    """Withdraw and delete the offers of the time that `freed_by` freed and now takes back.

    None of them has been sent yet.
    """
    offers = SlotOffer.objects.filter(freed_by=freed_by, freed_version=freed_by.version)
    for offer in offers:
        withdraw_messages(subject_id=offer.pk, reason="the cancellation was undone", now=now)
    offers.delete()


def offers_a_day(messages: QuerySet[Message]) -> Counter[str]:
    """Count the offers in `messages` by mailbox. Patients with different names can have the same mailbox."""
    return Counter(map(mailbox_of, messages.filter(kind=OFFER).values_list("patient__email", flat=True)))


def is_over_daily_limit(patient: Patient, *, now: datetime) -> bool:
    """Whether `MOST_A_DAY` offers were sent to the patient's mailbox in the last 24 hours.

    Offers that are only planned do not count.
    """
    sent = Message.objects.filter(state=State.SENT, settled_at__gt=now - DAY)
    return offers_a_day(sent)[mailbox_of(patient.email)] >= MOST_A_DAY


def offers_of_the_day(now: datetime) -> Counter[str]:
    """Count the offers planned or sent in the last 24 hours, by mailbox. None gets more than MOST_A_DAY."""
    live = Message.objects.filter(created_at__gt=now - DAY).exclude(state__in=(State.SKIPPED, State.FAILED))
    return offers_a_day(live)


def _postpone_offers(*, freed_by: Appointment, until: datetime) -> None:
    offers = SlotOffer.objects.filter(freed_by=freed_by, taken_at=None).values_list("pk", flat=True)
    postpone_messages(subject_ids=offers, until=until)


def _newly_free(freed: FreedTime, service: Service, clinic: Clinic, now: datetime) -> list[datetime]:
    """Return the start times of `service` that the freed time makes possible, nearest to the freed start first."""
    slots = free_slots(
        service=service,
        therapist=freed.therapist,
        first_day=freed.starts_at.astimezone(clinic.zone).date(),
        days=1,
        now=now,
        clinic=clinic,
    )
    starts = [slot.starts_at for slot in slots if service.shape.blocked(slot.starts_at).overlaps(freed.blocked)]
    return sorted(starts, key=lambda start: abs(start - freed.starts_at))


def _suits(starts_at: datetime, entry: WaitListEntry, clinic: Clinic) -> bool:
    is_earlier = entry.next_visit_at is None or starts_at < entry.next_visit_at
    return is_earlier and wishes_of(entry, clinic=clinic).suit(starts_at, clinic)


def _too_near_from(starts_at: datetime, entry: WaitListEntry, clinic: Clinic, now: datetime) -> datetime:
    return starts_at - (bookable_time(entry.service, clinic=clinic, now=now).earliest - now)


def plan_offer(offer: SlotOffer, *, due_at: datetime, now: datetime) -> SlotOffer:
    """Insert `offer`, and plan its message."""
    offer.save(force_insert=True)
    plan_message(
        kind=OFFER,
        subject_id=offer.pk,
        version=1,
        patient=offer.entry.patient,
        scope=offer.entry.service.slug,
        time_zone=reader_zone_of_entry(offer.entry, next_visit_of(offer.entry, now=now)),
        due_at=due_at,
        not_after=offer.expires_at,
        now=now,
    )
    return offer
