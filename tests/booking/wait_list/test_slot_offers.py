"""Accepting an offer of a freed time: the first patient gets it, atomically, on real connections too."""

from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import product

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from booking.actions.change import cancel_appointment, move_appointment
from booking.actions.offers import take_offer
from booking.models import Appointment, SlotOffer, WaitListEntry
from booking.schedule.availability import free_slots
from booking.schedule.errors import BookingRefused, BusyTryAgain, OfferOver, SlotNotOffered, SlotTaken
from booking.wait_list.entries import leave_wait_list
from clinic.outbox.models import Message
from tests.booking.locking import kinds_of, overlaps, race
from tests.booking.waiting import FREED_AT, book_later, offers_by_name, wait, wait_with
from tests.world import NINE_ON_TUESDAY, NOW, TUESDAY, book, make_therapist

SOON = NOW + FREED_AT + timedelta(minutes=1)
HOUR = timedelta(hours=1)


def standing(name):
    visits = Appointment.objects.filter(patient__name=name, status="booked")
    return list(visits.order_by("starts_at").values_list("starts_at", flat=True))


def test_taking_an_offer_moves_a_later_visit_and_offers_its_time_to_the_next(evaluation):
    visit, later = book(evaluation), book_later(evaluation)
    wait_with(later)
    wait(evaluation, name="Nelly Next")
    cancel_appointment(appointment=visit, now=NOW)
    taken = take_offer(offer=offers_by_name()["Walter Waiting"], now=SOON)
    assert (taken.pk, taken.starts_at, taken.sequence) == (later.pk, NINE_ON_TUESDAY, 1)
    assert standing("Walter Waiting") == [NINE_ON_TUESDAY]
    entry = WaitListEntry.objects.get(patient=later.patient)
    assert (entry.status, entry.appointment, entry.ended_at) == ("served", later, SOON)
    assert Message.objects.filter(kind="booking_moved", subject_id=later.pk).count() == 1
    nellys = SlotOffer.objects.filter(entry__patient__name="Nelly Next").order_by("created_at")
    assert [offer.starts_at for offer in nellys] == [NINE_ON_TUESDAY, later.starts_at]


def test_taking_an_offer_books_when_the_patient_has_no_visit(evaluation):
    visit = book(evaluation)
    wait(evaluation)
    cancel_appointment(appointment=visit, now=NOW)
    offer = SlotOffer.objects.get()
    taken = take_offer(offer=offer, now=SOON)
    assert (taken.starts_at, taken.patient.name, taken.mode) == (NINE_ON_TUESDAY, "Walter Waiting", "in_person")
    assert Message.objects.filter(kind="booking_booked", subject_id=taken.pk).count() == 1
    assert take_offer(offer=offer, now=SOON + HOUR) == taken  # pressed twice
    assert Appointment.objects.filter(status="booked").count() == 1


def test_taking_an_offer_moves_a_later_visit_booked_while_waiting(evaluation):
    visit = book(evaluation)
    wait(evaluation)
    later = book_later(evaluation)
    cancel_appointment(appointment=visit, now=NOW)
    assert take_offer(offer=SlotOffer.objects.get(), now=SOON).pk == later.pk
    assert standing("Walter Waiting") == [NINE_ON_TUESDAY]


def test_taking_an_offer_with_another_therapist_moves_the_visit_to_her(evaluation):
    nora = make_therapist("Nora", position=1)
    evaluation.therapists.add(nora)
    visit, later = book(evaluation, therapist=nora), book_later(evaluation)
    wait_with(later)
    cancel_appointment(appointment=visit, now=NOW)
    assert take_offer(offer=SlotOffer.objects.get(), now=SOON).therapist == nora


def test_late_acceptance_changes_nothing_and_keeps_the_place_on_the_list(evaluation):
    visit, later = book(evaluation), book_later(evaluation)
    entry = wait_with(later)
    cancel_appointment(appointment=visit, now=NOW)
    book(evaluation, name="Faster Runner")
    messages = Message.objects.count()
    with pytest.raises(SlotTaken):
        take_offer(offer=SlotOffer.objects.get(), now=SOON)
    entry.refresh_from_db()
    assert entry.status == "waiting"
    assert standing("Walter Waiting") == [later.starts_at]
    assert Message.objects.count() == messages


def test_taking_an_offer_is_refused_when_it_is_too_near_or_the_patient_has_left(evaluation):
    visit = book(evaluation)
    entry = wait(evaluation)
    cancel_appointment(appointment=visit, now=NOW)
    offer = SlotOffer.objects.get()
    with pytest.raises(SlotNotOffered):
        take_offer(offer=offer, now=offer.expires_at)
    leave_wait_list(entry=entry, now=NOW)
    with pytest.raises(OfferOver):
        take_offer(offer=offer, now=SOON)


def test_visit_is_not_moved_when_marking_the_entry_served_fails(evaluation, monkeypatch):
    visit, later = book(evaluation), book_later(evaluation)
    wait_with(later)
    cancel_appointment(appointment=visit, now=NOW)

    def fail(*args, **kwargs):
        raise RuntimeError("the power went")

    monkeypatch.setattr(WaitListEntry, "save", fail)
    with pytest.raises(RuntimeError):
        take_offer(offer=SlotOffer.objects.get(), now=SOON)
    assert standing("Walter Waiting") == [later.starts_at]


# Concurrent acceptance


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("people", [2, 16])
def test_one_of_several_takers_at_once_gets_the_offer(evaluation, people):
    visit = book(evaluation)
    for number in range(people):
        name = f"W{number} Waiting"
        if number % 2:
            wait(evaluation, name=name)
        else:
            wait_with(book_later(evaluation, name, days=7 + number // 6, hours=(0, 1, 4)[number // 2 % 3]))
    cancel_appointment(appointment=visit, now=NOW)
    before = {name: standing(name) for name in offers_by_name()}
    outcomes = race([lambda o=offer: take_offer(offer=o, now=SOON) for offer in offers_by_name().values()])
    assert kinds_of(outcomes) == {"Appointment": 1, "SlotTaken": people - 1}
    winner = next(outcome for outcome in outcomes if isinstance(outcome, Appointment))
    assert WaitListEntry.objects.filter(status="served").count() == 1
    assert SlotOffer.objects.exclude(taken_at=None).count() == 1
    for name, starts in before.items():
        assert standing(name) == ([NINE_ON_TUESDAY] if name == winner.patient.name else starts)
    assert overlaps() == 0


@pytest.mark.django_db(transaction=True)
def test_one_offer_taken_eight_times_at_once_books_one_visit(evaluation):
    visit = book(evaluation)
    wait(evaluation)
    cancel_appointment(appointment=visit, now=NOW)
    offer = SlotOffer.objects.get()
    outcomes = race([lambda: take_offer(offer=offer, now=SOON)] * 8)
    assert kinds_of(outcomes) == {"Appointment": 8}
    assert len({outcome.pk for outcome in outcomes}) == 1
    assert Appointment.objects.filter(status="booked").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_offers_taken_at_once_by_one_patient_give_one_visit(evaluation):
    visits = [book(evaluation), book(evaluation, name="Bob", starts_at=NINE_ON_TUESDAY + HOUR)]
    later = book_later(evaluation)
    wait_with(later)
    for visit in visits:
        cancel_appointment(appointment=visit, now=NOW)
    outcomes = race([lambda o=offer: take_offer(offer=o, now=SOON) for offer in SlotOffer.objects.all()])
    assert sum(isinstance(outcome, Appointment) for outcome in outcomes) == 1
    assert all(isinstance(outcome, Appointment | OfferOver | BusyTryAgain) for outcome in outcomes)
    assert len(standing("Walter Waiting")) == 1


@pytest.mark.django_db(transaction=True)
def test_one_of_a_concurrent_booking_move_and_acceptance_gets_the_time(evaluation):
    visit, mover = book(evaluation), book_later(evaluation, "Mona Mover", days=1)
    wait(evaluation)
    cancel_appointment(appointment=visit, now=NOW)
    offer = SlotOffer.objects.get()
    outcomes = race(
        [
            lambda: take_offer(offer=offer, now=SOON),
            lambda: book(evaluation, name="Bea Booker", now=SOON),
            lambda: move_appointment(appointment=mover, starts_at=NINE_ON_TUESDAY, now=SOON),
        ]
    )
    assert kinds_of(outcomes) == {"Appointment": 1, "SlotTaken": 2}
    assert overlaps() == 0


# After any earlier actions, an offer can be accepted exactly while its time is free


@example(steps=[("c", 0), ("y", 1), ("y", 0)])
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(list(product("cbymlt", range(3)))), max_size=10))
@pytest.mark.long
def test_taking_an_offer_succeeds_exactly_when_the_pages_would_offer_the_time(evaluation, db, steps):
    """Cancel, book, accept, move, leave or do nothing, in any order. No visit moves later, and no patient is lost."""
    with undone():
        visits = [book(evaluation, name=f"P{n} Runner", starts_at=NINE_ON_TUESDAY + n * HOUR) for n in range(3)]
        waiting = [
            wait(evaluation, name="W0 Waiting"),
            wait_with(book_later(evaluation, "W1 Waiting")),
            wait_with(book_later(evaluation, "W2 Waiting", days=8)),
        ]
        for step, n in steps:
            _do(step, n, evaluation, visits, waiting)
            assert overlaps() == 0
            assert len(standing("W1 Waiting")) == len(standing("W2 Waiting")) == 1
            assert len(standing("W0 Waiting")) <= 1


@contextmanager
def undone():
    """Roll back all writes inside, by a savepoint, because booking refuses to run inside another atomic block."""
    savepoint = transaction.savepoint_create()
    try:
        yield
    finally:
        transaction.savepoint_rollback(savepoint)


def _do(step, n, service, visits, waiting):
    visits[n].refresh_from_db()
    waiting[n].refresh_from_db()
    if step == "y":
        for offer in SlotOffer.objects.filter(entry=waiting[n], taken_at=None).select_related("entry__patient"):
            _say_yes(offer, service)
        return
    acts = {
        "c": lambda: cancel_appointment(appointment=visits[n], now=NOW),
        "b": lambda: book(service, name=f"B{n} Runner", starts_at=NINE_ON_TUESDAY + n * HOUR),
        "m": lambda: move_appointment(
            appointment=visits[n], starts_at=NINE_ON_TUESDAY + timedelta(hours=4 + n), now=NOW
        ),
        "l": lambda: leave_wait_list(entry=waiting[n], now=NOW),
        "t": lambda: None,
    }
    with suppress(BookingRefused):
        acts[step]()


def _say_yes(offer, service):
    name, before = offer.entry.patient.name, standing(offer.entry.patient.name)
    is_waiting = WaitListEntry.objects.get(pk=offer.entry_id).status == "waiting"
    # Moving a patient earlier frees a later time, which is offered in turn. Here it is a week and a day later.
    starts = {slot.starts_at for slot in free_slots(service=service, first_day=TUESDAY, days=9, now=SOON)}
    is_to_be_had = is_waiting and offer.starts_at in starts
    try:
        take_offer(offer=offer, now=SOON)
    except BookingRefused:
        assert not is_to_be_had
        assert standing(name) == before
    else:
        assert is_to_be_had
        assert standing(name) == [offer.starts_at]
