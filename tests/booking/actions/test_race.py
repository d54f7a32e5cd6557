"""CLIENTS clients book at once, on real connections, and the rows are counted.

The tests themselves are tested: without both the lock and the constraint, they must find double bookings."""

import threading
import uuid
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, connections, transaction

from booking.actions.change import move_appointment
from booking.models import Appointment
from booking.schedule.errors import BusyTryAgain
from booking.schedule.locking import locked_schedules
from tests.booking.locking import kinds_of, overlaps, race, wait_until, waiting_for_locks
from tests.world import NINE_ON_TUESDAY, book, make_therapist

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS, ROUNDS = 32, 10
DAY = timedelta(days=1)


def all_book(service, starts_at):
    return [lambda n=n: book(service, starts_at=starts_at, name=f"Runner{n} Racing") for n in range(CLIENTS)]


@contextmanager
def constraint_dropped():
    constraint = next(c for c in Appointment._meta.constraints if c.name == "appointment_no_double_booking")
    with connection.schema_editor() as editor:
        editor.remove_constraint(Appointment, constraint)
    try:
        yield
    finally:
        Appointment.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(Appointment, constraint)


def test_one_of_32_wins_a_slot_ten_times_over(evaluation):
    for number in range(ROUNDS):
        starts_at = NINE_ON_TUESDAY + timedelta(days=number // 4, hours=number % 2 + 4 * (number % 4 // 2))
        outcomes = race(all_book(evaluation, starts_at))
        assert kinds_of(outcomes) == {"Appointment": 1, "SlotTaken": CLIENTS - 1}
        assert Appointment.objects.filter(starts_at=starts_at).count() == 1
    assert Appointment.objects.count() == ROUNDS
    assert overlaps() == 0


def test_overlapping_times_are_given_to_one_only(evaluation, call):
    at = [NINE_ON_TUESDAY + timedelta(minutes=15 * step) for step in range(4)]
    runners = [
        lambda n=n: book(
            evaluation if n % 2 else call, starts_at=at[0] if n % 2 else at[n % 4], name=f"Runner{n} Racing"
        )
        for n in range(CLIENTS)
    ]
    race(runners)
    assert Appointment.objects.exists()
    assert overlaps() == 0


def test_one_form_sent_32_times_books_once(evaluation):
    key = uuid.uuid4()
    outcomes = race([lambda: book(evaluation, idempotency_key=key)] * CLIENTS)
    assert kinds_of(outcomes) == {"Appointment": CLIENTS}
    assert len({visit.pk for visit in outcomes}) == 1
    assert Appointment.objects.count() == 1


def test_one_form_sent_for_two_therapists_at_once_books_once(evaluation):
    evaluation.therapists.add(make_therapist("Nora", position=1))
    therapists, key = list(evaluation.therapists.all()), uuid.uuid4()
    outcomes = race([lambda n=n: book(evaluation, therapist=therapists[n % 2], idempotency_key=key) for n in range(16)])
    assert kinds_of(outcomes) == {"Appointment": 16}
    assert Appointment.objects.count() == 1


def test_booking_raises_busy_try_again_on_a_lock_timeout(evaluation, meredith, monkeypatch):
    holding, done = threading.Event(), threading.Event()

    def hold():
        with locked_schedules([meredith.pk]):
            holding.set()
            done.wait(timeout=30)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    holding.wait(timeout=10)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        with pytest.raises(BusyTryAgain):
            book(evaluation)
    finally:
        done.set()
        holder.join()
        connection.close()
    assert book(evaluation).status == "booked"


def test_constraint_alone_allows_one_booking_at_most(evaluation, monkeypatch):
    """The constraint also stops writers without the lock, and mistakes of ours."""
    monkeypatch.setattr("booking.schedule.locking._lock", lambda statement, key: True)
    outcomes = race(all_book(evaluation, NINE_ON_TUESDAY))
    assert kinds_of(outcomes)["Appointment"] <= 1
    assert overlaps() == 0


def test_the_lock_alone_still_lets_one_win(evaluation):
    with constraint_dropped():
        outcomes = race(all_book(evaluation, NINE_ON_TUESDAY))
        assert kinds_of(outcomes) == {"Appointment": 1, "SlotTaken": CLIENTS - 1}
        assert overlaps() == 0


def test_patient_who_books_two_therapists_at_once_gets_one(evaluation):
    nora = make_therapist("Nora", position=1)
    evaluation.therapists.add(nora)
    patient = book(evaluation, starts_at=NINE_ON_TUESDAY + timedelta(days=1)).patient
    therapists = list(evaluation.therapists.all())
    for day in range(2, 2 + ROUNDS):
        starts_at = NINE_ON_TUESDAY + timedelta(days=7 * day)
        outcomes = race(
            [
                lambda one=one, at=starts_at: book(
                    evaluation, therapist=one, starts_at=at, patient=patient, now=at - DAY
                )
                for one in therapists * 4
            ]
        )
        assert Appointment.objects.filter(patient=patient, starts_at=starts_at).count() == 1
        assert kinds_of(outcomes).keys() <= {"Appointment", "SlotNotOffered", "SlotTaken"}


def test_patient_who_moves_and_books_at_once_is_in_one_place(evaluation):
    nora = make_therapist("Nora", position=1)
    evaluation.therapists.add(nora)
    meredith = evaluation.therapists.get(name="Meredith")
    for day in range(ROUNDS):
        starts_at = NINE_ON_TUESDAY + timedelta(days=7 * day)
        early = book(evaluation, therapist=nora, starts_at=starts_at, now=starts_at - DAY, name=f"Runner{day} Racing")
        ten = starts_at + timedelta(hours=1)
        told = {"starts_at": ten, "now": starts_at - DAY}
        outcomes = race(
            [
                lambda told=told, early=early: move_appointment(appointment=early, therapist=nora, **told),
                lambda told=told, early=early: book(evaluation, therapist=meredith, patient=early.patient, **told),
            ]
        )
        assert kinds_of(outcomes) == {"Appointment": 1, "SlotNotOffered": 1}


def test_lock_with_check_first_is_refused_inside_a_transaction(meredith):
    locked = locked_schedules([meredith.pk], check_first=lambda: None)
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        locked.__enter__()


def test_two_waiters_for_one_schedule_with_check_first_both_get_the_lock(meredith):
    """Inside an outer transaction, each would keep the shared lock of its wait and block the other."""
    holding, entered = threading.Event(), []

    def hold():
        with locked_schedules([meredith.pk]):
            holding.set()
            wait_until(lambda: waiting_for_locks() == 2)

    def enter():
        holding.wait(timeout=30)
        with locked_schedules([meredith.pk], check_first=lambda: None):
            entered.append(1)

    outcomes = race([hold, enter, enter])
    assert outcomes == [None] * 3
    assert len(entered) == 2


# Tests of the tests: they notice each guard that is removed.


def slow_readers(monkeypatch, then=lambda therapist: None):
    """Make all clients pass the availability check before the first one writes. Each client then calls `then`."""
    from booking.actions import book as appointments

    look, all_have_looked = appointments.require_free, threading.Barrier(CLIENTS)

    def look_and_wait(*, slot, **rest):
        look(slot=slot, **rest)
        all_have_looked.wait(timeout=30)
        then(slot.therapist)

    monkeypatch.setattr(appointments, "require_free", look_and_wait)


def test_race_finds_double_bookings_when_lock_and_constraint_are_removed(evaluation, monkeypatch):
    monkeypatch.setattr("booking.schedule.locking._lock", lambda statement, key: True)
    slow_readers(monkeypatch)
    with constraint_dropped():
        race(all_book(evaluation, NINE_ON_TUESDAY))
        assert overlaps() > 0


def test_the_race_finds_a_lock_that_is_taken_after_the_read(evaluation, monkeypatch):
    from booking.schedule import locking

    lock = locking._lock
    monkeypatch.setattr(locking, "_lock", lambda statement, key: True)
    slow_readers(monkeypatch, then=lambda therapist: lock(locking.LOCK, f"diary:{therapist.pk}"))
    with constraint_dropped():
        race(all_book(evaluation, NINE_ON_TUESDAY))
        assert overlaps() > 0


def test_with_the_lock_no_loser_reaches_the_constraint(evaluation, monkeypatch):
    """With the lock, no client reaches the constraint. Without it, the losers do, and wait for the winner."""
    met = []

    def refuse(self, type_, value, traceback):
        if isinstance(value, IntegrityError):
            met.append(value)

    monkeypatch.setattr("django.db.transaction.Atomic.__exit__", _watched_exit(refuse))
    race(all_book(evaluation, NINE_ON_TUESDAY))
    assert not met
    Appointment.objects.all().delete()
    monkeypatch.setattr("booking.schedule.locking._lock", lambda statement, key: True)
    race(all_book(evaluation, NINE_ON_TUESDAY))
    assert met


def test_losers_check_together_and_stop_waiting_once_the_winner_is_done(evaluation, monkeypatch):
    from booking.schedule import locking

    lock, asked = locking._lock, Counter()

    def lock_and_count(statement, key):
        is_ours = lock(statement, key)
        asked[statement, is_ours] += 1
        return is_ours

    monkeypatch.setattr(locking, "_lock", lock_and_count)
    race(all_book(evaluation, NINE_ON_TUESDAY))
    assert asked[locking.LOCK_OR_WAIT, False] > 0
    assert sum(asked.values()) == CLIENTS, "a client queued for a time that was taken"


def _watched_exit(watch):
    from django.db.transaction import Atomic

    leave = Atomic.__exit__

    def exit_watched(self, *error):
        watch(self, *error)
        return leave(self, *error)

    return exit_watched
