"""Staff offer a gap to the wait list: who is told, that the rules of notice do not apply, and taking it back."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from booking.actions.offers import TAKEN_UNTIL, offer_gap, take_back_offers, take_offer
from booking.models import Appointment, OpeningHours, SlotOffer, WaitListEntry
from booking.schedule.errors import SlotNotOffered, SlotTaken
from booking.time.intervals import Interval
from booking.wait_list.offer_text import count_other_offers
from booking.wait_list.slot_offers import MOST_A_DAY
from clinic.audit.models import AccessEvent
from clinic.outbox.messages.suppressions import suppress
from clinic.outbox.models import Message, MessageRule, Suppression
from clinic.practice.models import Clinic, Patient
from tests.booking.locking import race
from tests.booking.waiting import FREED_AT, book_later, message_about, offers_by_name, wait, wait_with
from tests.clinic.letters import sweep
from tests.world import HOUR, MINUTE, NINE_ON_TUESDAY, book, make_therapist

pytestmark = pytest.mark.django_db

ELEVEN, NOON = NINE_ON_TUESDAY + 2 * HOUR, NINE_ON_TUESDAY + 3 * HOUR
GAP = Interval(ELEVEN.astimezone(UTC), NOON.astimezone(UTC))
BEFORE = NINE_ON_TUESDAY - 30 * MINUTE  # within the minimum notice of 12 hours


def offer(therapist, by, *, gap=GAP, now=BEFORE):
    return offer_gap(therapist=therapist, gap=gap, by=by, clinic=Clinic.objects.current(), now=now)


def test_gap_is_offered_despite_the_notice_and_the_first_to_take_it_gets_it(evaluation, meredith, front_desk):
    later = book_later(evaluation)
    wait_with(later, now=BEFORE - 2 * HOUR)
    wait(evaluation, name="Nelly Next", now=BEFORE - HOUR)
    assert len(offer(meredith, front_desk)) == 2
    offers = offers_by_name()
    assert {one.starts_at for one in offers.values()} == {ELEVEN}
    assert message_about(offers["Nelly Next"]).due_at == BEFORE + FREED_AT
    soon = BEFORE + FREED_AT + MINUTE
    assert take_offer(offer=offers["Walter Waiting"], now=soon).pk == later.pk
    assert Appointment.objects.get(pk=later.pk).starts_at == ELEVEN
    with pytest.raises(SlotTaken):
        take_offer(offer=offers["Nelly Next"], now=soon)


def test_taken_gap_books_a_visit_in_hours_by_phone_only(evaluation, meredith, front_desk):
    OpeningHours.objects.update(mode="call_us")
    wait(evaluation, now=BEFORE)
    [made] = offer(meredith, front_desk)
    visit = take_offer(offer=made, now=BEFORE + 10 * MINUTE)
    assert (visit.starts_at, visit.patient.name) == (ELEVEN, "Walter Waiting")


def test_offer_of_a_gap_ends_an_hour_before_and_is_not_sent_too_late(evaluation, meredith, front_desk, post_office):
    wait(evaluation, now=BEFORE)
    [made] = offer(meredith, front_desk)
    assert made.expires_at == ELEVEN - TAKEN_UNTIL
    with pytest.raises(SlotNotOffered):
        take_offer(offer=made, now=made.expires_at)
    sweep(now=made.expires_at + MINUTE)
    assert message_about(made).state == "skipped" and not offer_mails(post_office)


def test_offer_is_emailed_once_it_cannot_be_taken_back(evaluation, meredith, front_desk, post_office):
    wait(evaluation, now=BEFORE)
    offer(meredith, front_desk)
    sweep(now=BEFORE + FREED_AT - MINUTE)
    assert not offer_mails(post_office)
    sweep(now=BEFORE + FREED_AT)
    assert [mail["To"] for mail in offer_mails(post_office)] == ["walter@example.com"]


def test_offer_waits_for_the_end_of_quiet_hours_or_is_not_made(evaluation, meredith, front_desk, post_office):
    at_seven = NINE_ON_TUESDAY - 2 * HOUR
    wait(evaluation, now=at_seven)
    at_nine = Interval(NINE_ON_TUESDAY.astimezone(UTC), (NINE_ON_TUESDAY + MINUTE).astimezone(UTC))
    assert offer(meredith, front_desk, gap=at_nine, now=at_seven) == [], "it could be taken until 8:00 AM only"
    morning = Interval(at_nine.start, GAP.end)
    [made] = offer(meredith, front_desk, gap=morning, now=at_seven)
    assert message_about(made).due_at == NINE_ON_TUESDAY - HOUR
    assert made.starts_at > NINE_ON_TUESDAY, "a later time of the same gap"
    assert take_back_offers(therapist=meredith, gap=morning, by=front_desk, now=at_seven + 20 * MINUTE) == 1


def offer_mails(post_office):
    return [mail for mail in post_office.mails if "/offers/" in mail.get_body(("plain",)).get_content()]


def test_gap_is_offered_once_to_each_and_never_to_those_it_does_not_suit(evaluation, meredith, front_desk):
    other = make_therapist("Nora", position=1)
    evaluation.therapists.add(other)
    wait(evaluation, now=BEFORE)
    wait(evaluation, name="Nina Others", therapist=other, now=BEFORE)
    patient = Patient.objects.create(name="Pat Phone", phone="+16035550101", created_at=BEFORE)
    WaitListEntry.objects.create(
        patient=patient,
        service=evaluation,
        mode="in_person",
        first_on=BEFORE.date(),
        last_on=BEFORE.date() + timedelta(days=9),
        created_at=BEFORE,
    )
    assert [one.entry.patient.name for one in offer(meredith, front_desk)] == ["Walter Waiting"]
    assert offer(meredith, front_desk, now=BEFORE + MINUTE) == []
    made = SlotOffer.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        SlotOffer.objects.create(
            entry=made.entry,
            therapist=meredith,
            starts_at=made.starts_at,
            created_at=BEFORE,
            expires_at=made.starts_at,
        )


def test_offer_is_taken_back_before_it_is_sent_and_not_after(evaluation, meredith, front_desk, post_office):
    wait(evaluation, now=BEFORE)
    offer(meredith, front_desk)
    assert take_back_offers(therapist=meredith, gap=GAP, by=front_desk, now=BEFORE + 2 * MINUTE) == 1
    sweep(now=BEFORE + HOUR)
    assert not SlotOffer.objects.exists() and not offer_mails(post_office)
    [made] = offer(meredith, front_desk, now=BEFORE + 5 * MINUTE)
    sweep(now=BEFORE + 5 * MINUTE + FREED_AT)
    assert take_back_offers(therapist=meredith, gap=GAP, by=front_desk, now=BEFORE + 6 * MINUTE) == 0
    assert SlotOffer.objects.get() == made
    acts = AccessEvent.objects.filter(object_type="booking.slotoffer", actor=front_desk).values_list(
        "action", flat=True
    )
    assert sorted(acts) == ["C", "C", "D"]


def test_others_are_counted_by_overlap_in_a_gap(evaluation, meredith, front_desk):
    for name in ("Ann", "Bea", "Cleo"):
        wait(evaluation, name=name, now=BEFORE)
    made = offer(meredith, front_desk)
    far = made[2]
    SlotOffer.objects.filter(pk=far.pk).update(starts_at=NINE_ON_TUESDAY + 5 * HOUR)
    assert count_other_offers(made[0], now=BEFORE + FREED_AT) == 1


def test_mailbox_with_enough_offers_gets_no_more(evaluation, meredith, front_desk):
    wait(evaluation, now=BEFORE)
    for number in range(MOST_A_DAY):
        start = GAP.start + number * 24 * HOUR
        gap = Interval(start, start + HOUR)
        assert len(offer(meredith, front_desk, gap=gap)) == 1
    friday = GAP.start + MOST_A_DAY * 24 * HOUR
    assert offer(meredith, front_desk, gap=Interval(friday, friday + HOUR)) == []


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_once_offer_the_gap_once(evaluation, meredith, front_desk):
    wait(evaluation, now=BEFORE)
    race([lambda: offer(meredith, front_desk)] * 2)
    assert SlotOffer.objects.count() == 1
    assert Message.objects.filter(kind="booking_offer").count() == 1


def test_freed_time_that_was_canceled_still_needs_its_notice(evaluation, meredith, front_desk):
    visit = book(evaluation)
    wait(evaluation)
    Appointment.objects.filter(pk=visit.pk).update(status="cancelled", cancelled_at=BEFORE)
    [entry] = WaitListEntry.objects.all()
    made = SlotOffer.objects.create(
        entry=entry,
        therapist=meredith,
        starts_at=visit.starts_at,
        freed_by=visit,
        freed_version=1,
        created_at=BEFORE,
        expires_at=visit.starts_at,
    )
    with pytest.raises(SlotNotOffered):
        take_offer(offer=made, now=BEFORE)


def test_those_who_could_not_take_it_or_get_no_mail_are_not_told(evaluation, meredith, front_desk):
    wait_with(book_later(evaluation, days=0, hours=4), now=BEFORE)  # in less than the 24 hours in which it can be moved
    wait(evaluation, name="Una Blocked", now=BEFORE)
    suppress(address="una@example.com", why=Suppression.Why.BOUNCED, now=BEFORE)
    wait(evaluation, name="Nelly Next", now=BEFORE)
    late = BEFORE + 35 * MINUTE
    assert [one.entry.patient.name for one in offer(meredith, front_desk, now=late)] == ["Nelly Next"]


def test_switched_off_message_is_not_promised(evaluation, meredith, front_desk):
    wait(evaluation, now=BEFORE)
    MessageRule.objects.create(kind="booking_offer", subject="x", text="x", is_active=False)
    assert offer(meredith, front_desk) == []


def test_patient_is_offered_one_time_of_a_gap_whoever_the_therapist_is(evaluation, call, meredith, front_desk):
    other = make_therapist("Nora", position=1)
    evaluation.therapists.add(other)
    wait(evaluation, now=BEFORE)
    wait(call, now=BEFORE)
    assert len(offer(meredith, front_desk)) == 1
    assert offer(other, front_desk) == []


def test_taken_gap_is_refused(evaluation, meredith, front_desk):
    wait(evaluation, now=BEFORE)
    book(evaluation, starts_at=ELEVEN)
    taken = Interval(GAP.start, GAP.start + 45 * MINUTE)
    with pytest.raises(SlotTaken):
        offer(meredith, front_desk, gap=taken)


def test_gap_of_the_past_is_not_offered(evaluation, meredith, front_desk):
    wait(evaluation, now=BEFORE)
    past = datetime(2026, 11, 3, 14, tzinfo=UTC)
    assert offer(meredith, front_desk, gap=Interval(past, past + HOUR)) == []
