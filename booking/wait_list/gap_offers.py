"""Staff offer a gap of a schedule to the patients on the wait list whom it suits, and can take the offers back.

As for freed times, each offer is a row, its message is due at the end of `UNDO_FOR`, and the first taker gets the time.
Staff decide that a gap may be filled, so that a patient can take it despite the rules of `take_offer.WAIVED`.
"""

from datetime import datetime, timedelta

from booking.messages.reader import reader_zone_of_entry
from booking.models import SlotOffer, WaitListEntry
from booking.models.visit_states import UNDO_FOR
from booking.schedule.locking import locked_schedules
from booking.schedule.schedules import read_schedules
from booking.time.intervals import Interval
from booking.wait_list.entries import next_visit_of
from booking.wait_list.matches import read_wait_list
from booking.wait_list.slot_offers import AT_ONCE, MOST_A_DAY, MOST_OFFERS, THEN_AFTER, offers_of_the_day, plan_offer
from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.outbox.messages.planning import withdraw_messages
from clinic.outbox.text.quiet_hours import QuietHours, end_of_quiet_hours
from clinic.practice.access.rate_limits import mailbox_of
from clinic.practice.models import Clinic, Patient, Therapist, User
from clinic.practice.values.zones import known_zone

TAKEN_UNTIL = timedelta(hours=1)  # before the visit: the patient has to come to it


def offered_from(now: datetime) -> datetime:
    """Return the earliest start that can be offered: the message waits for `UNDO_FOR` before it is sent."""
    return now + UNDO_FOR + TAKEN_UNTIL


def offer_gap(*, therapist: Therapist, gap: Interval, by: User, clinic: Clinic, now: datetime) -> list[SlotOffer]:
    """Offer times in `gap`, which lies on one day, to the entries for which it has one, the longest waiting first.

    Each entry is offered the first time that suits it, and no second time in the gap. Entries without an email address
    or with MOST_A_DAY offers are omitted, and those for whom quiet hours make it too late. Return the new offers, at most MOST_OFFERS. Raises BusyTryAgain.
    """
    offers: list[SlotOffer] = []
    with locked_schedules({therapist.pk}):
        day = gap.start.astimezone(clinic.zone).date()
        schedules = read_schedules(first_day=day, days=1, therapist=therapist, now=now, clinic=clinic)
        wait_list = read_wait_list(now=now, clinic=clinic)
        starts = wait_list.starts_in(schedules[0], earliest=offered_from(now)) if schedules else {}
        found = wait_list.matching(gap, therapist, starts, clinic)
        offered = set(SlotOffer.objects.of_gaps(gap).filter(therapist=therapist).values_list("entry_id", flat=True))
        patients = Patient.objects.in_bulk({one.entry.patient_id for one in found})
        told = offers_of_the_day(now)
        for one in found:
            entry = one.entry
            entry.patient = patients[entry.patient_id]
            mailbox = mailbox_of(entry.patient.email)
            due_at = _sent_at(entry, now + UNDO_FOR + THEN_AFTER * (len(offers) // AT_ONCE), clinic)
            starts_at = one.first_in(gap, starts, clinic)
            expires_at = starts_at - TAKEN_UNTIL
            if not entry.patient.email or told[mailbox] >= MOST_A_DAY or entry.pk in offered or due_at >= expires_at:
                continue
            told[mailbox] += 1
            offer = SlotOffer(
                entry=entry, therapist=therapist, starts_at=starts_at, created_at=now, expires_at=expires_at
            )
            offers.append(plan_offer(offer, due_at=due_at, now=now))
            record_access(actor=by, action=Action.CREATE, subject=offer, patient_id=entry.patient_id, now=now)
            if len(offers) == MOST_OFFERS:
                break
    return offers


def _sent_at(entry: WaitListEntry, due_at: datetime, clinic: Clinic) -> datetime:
    """Return when a message due at `due_at` is sent: after the quiet hours of its reader."""
    zone = known_zone(reader_zone_of_entry(entry, next_visit_of(entry, now=due_at))) or clinic.zone
    return end_of_quiet_hours(due_at, QuietHours(clinic.quiet_from, clinic.quiet_until, zone))


def take_back_offers(*, therapist: Therapist, gap: Interval, by: User, now: datetime) -> int:
    """Withdraw and delete the offers of times in `gap` that have not been sent yet, and return their number.

    Raises BusyTryAgain.
    """
    with locked_schedules({therapist.pk}):
        offers = SlotOffer.objects.of_gaps(gap).filter(
            therapist=therapist, taken_at=None, created_at__gt=now - UNDO_FOR
        )
        found = list(offers.select_related("entry"))
        for offer in found:
            withdraw_messages(subject_id=offer.pk, reason="staff took the offer back", now=now)
            record_access(actor=by, action=Action.DELETE, subject=offer, patient_id=offer.entry.patient_id, now=now)
        offers.delete()
    return len(found)
