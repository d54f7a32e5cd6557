"""Two concurrent actions on one visit or patient, on real connections: they are serialized, without a deadlock."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.urls import reverse

from booking.actions.attend import confirm_appointment, mark_arrived, mark_no_show, undo_arrival, undo_no_show
from booking.actions.change import cancel_appointment, move_appointment, undo_cancellation, undo_move
from booking.actions.clinic_details import update_visits
from booking.actions.correct_address import correct_address
from booking.actions.report_absence import note_not_coming
from booking.messages.delivery import note_called
from booking.models import Appointment
from booking.schedule.errors import BusyTryAgain, VisitChanged
from booking.schedule.off_schedule import accept_off_schedule
from booking.schedule.visit_links import visit_path
from clinic.practice.models import Clinic, Patient
from clinic.practice.people.patients import accept_patient, change_address
from tests.booking.locking import race, wait_until
from tests.world import NINE_ON_TUESDAY, NOW, book, make_therapist

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def rows_waited_for() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT pid) FROM pg_locks WHERE locktype IN ('transactionid', 'tuple') AND NOT granted"
        )
        return cursor.fetchone()[0]


def one_after_another(rows, *acts) -> list:
    """Start each act once the earlier ones wait for `rows`, which are locked meanwhile. Return their results or errors.

    An act that has already locked another row that the earlier ones need causes a deadlock.
    """

    def hold():
        with transaction.atomic():
            list(rows.select_for_update())
            held.set()
            wait_until(lambda: rows_waited_for() == len(acts))

    def in_turn(place, act):
        held.wait(timeout=30)
        wait_until(lambda: rows_waited_for() >= place)
        return act()

    held = threading.Event()
    outcomes = race([hold, *(lambda pair=pair: in_turn(*pair) for pair in enumerate(acts))])
    return outcomes[1:]


def errors_of(outcomes) -> list:
    return [outcome for outcome in outcomes if isinstance(outcome, Exception)]


def row_of(visit):
    return Patient.objects.filter(pk=visit.patient_id)


@pytest.fixture
def known(evaluation):
    """Alice, a known patient. The provisional Alice is merged into this record."""
    return book(evaluation, starts_at=NINE_ON_TUESDAY + DAY).patient


@pytest.fixture
def visit(known, evaluation):
    return book(evaluation, is_known=False)


BEGUN = NINE_ON_TUESDAY + MINUTE

ACTS = {
    "confirm": lambda visit, by: confirm_appointment(appointment=visit, now=NOW),
    "arrive": lambda visit, by: mark_arrived(appointment=visit, by=by, now=BEGUN),
    "undo arrival": lambda visit, by: undo_arrival(appointment=visit, by=by, now=BEGUN),
    "no-show": lambda visit, by: mark_no_show(appointment=visit, by=by, now=BEGUN),
    "undo no-show": lambda visit, by: undo_no_show(appointment=visit, by=by, now=BEGUN),
    "cancel": lambda visit, by: cancel_appointment(appointment=visit, by=by, now=NOW),
    "not coming": lambda visit, by: note_not_coming(appointment=visit, now=NOW),
    "told by phone": lambda visit, by: note_called(appointment=visit, by=by, now=NOW),
    "keep": lambda visit, by: accept_off_schedule(appointment=visit, by=by, now=NOW),
    "move": lambda visit, by: move_appointment(appointment=visit, starts_at=NINE_ON_TUESDAY + 2 * DAY, by=by, now=NOW),
}


@pytest.mark.parametrize("name", ACTS)
def test_act_on_a_visit_while_its_patient_is_merged(name, visit, known, front_desk):
    Appointment.objects.filter(pk=visit.pk).update(
        off_schedule_accepted=["hours"]
    )  # so that the act "keep" changes the row
    outcomes = one_after_another(
        row_of(visit),
        lambda: accept_patient(visit.patient, now=NOW),
        lambda: ACTS[name](visit, front_desk),
    )
    assert errors_of(outcomes) == []
    assert outcomes[1].patient_id == known.pk, "the act was done to the visit of the known patient"


def test_arrival_is_marked_while_the_address_is_corrected(visit, front_desk):
    outcomes = one_after_another(
        row_of(visit),
        lambda: correct_address(appointment=visit, email="meant@example.com", now=NOW),
        lambda: mark_arrived(appointment=visit, by=front_desk, now=BEGUN),
    )
    assert errors_of(outcomes) == []
    visit.refresh_from_db()
    assert (visit.patient.email, visit.arrived_at, visit.patient.is_provisional) == ("meant@example.com", BEGUN, False)


def test_clinic_moves_while_a_patient_is_merged(visit, known):
    before, after = Clinic.objects.current(), Clinic.objects.current()
    after.street = "99 New Street"

    def update():
        with transaction.atomic():
            update_visits(before, after, True, NOW)

    outcomes = one_after_another(row_of(visit), lambda: accept_patient(visit.patient, now=NOW), update)
    assert errors_of(outcomes) == []
    visit.refresh_from_db()
    assert (visit.patient_id, visit.sequence) == (known.pk, 1)


def test_clinic_moves_while_a_patient_gets_a_new_address(evaluation, front_desk):
    later = book(evaluation, starts_at=NINE_ON_TUESDAY + DAY)
    sooner = book(evaluation, starts_at=NINE_ON_TUESDAY)
    if sooner.pk < later.pk:  # their order by start must differ from their order by key
        move_appointment(appointment=sooner, starts_at=NINE_ON_TUESDAY + 2 * DAY, by=front_desk, now=NOW)
        sooner, later = later, sooner
    before, after = Clinic.objects.current(), Clinic.objects.current()
    after.street = "99 New Street"

    def update():
        with transaction.atomic():
            update_visits(before, after, True, NOW)

    outcomes = one_after_another(
        Appointment.objects.filter(pk=sooner.pk),
        lambda: change_address(sooner.patient, email="new@example.com", by=front_desk, now=NOW),
        update,
    )
    assert errors_of(outcomes) == []


@pytest.mark.parametrize("name", ACTS)
def test_act_on_a_locked_visit_asks_to_try_again(name, visit, front_desk):
    """Otherwise the page for a database outage would be shown."""
    held, done = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            Appointment.objects.select_for_update().get(pk=visit.pk)
            held.set()
            done.wait(timeout=30)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(timeout=10)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        with pytest.raises(BusyTryAgain):
            ACTS[name](visit, front_desk)
    finally:
        done.set()
        holder.join()
        connection.close()


def test_patient_who_cancels_a_locked_visit_is_asked_to_try_again(client, visit):
    path = visit_path(visit, now=NOW)
    held, done = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            Appointment.objects.select_for_update().get(pk=visit.pk)
            held.set()
            done.wait(timeout=30)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(timeout=10)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        page = client.post(path + "cancel/", {"version": "1"})
    finally:
        done.set()
        holder.join()
        connection.close()
    assert page.status_code == 503
    assert "Please try again" in page.content.decode()
    assert reverse("booking:visit", args=[path.strip("/").split("/")[-1]]) in page.content.decode()


# A schedule is not changed without its lock.


@pytest.fixture
def nora(evaluation):
    nora = make_therapist("Nora", position=1)
    evaluation.therapists.add(nora)
    return nora


@pytest.mark.parametrize("name", ["arrive", "undo arrival", "undo no-show"])
def test_action_is_refused_when_the_visit_moved_to_a_schedule_that_is_not_locked(name, visit, nora, front_desk):
    move_appointment(appointment=visit, starts_at=NINE_ON_TUESDAY, therapist=nora, by=front_desk, now=NOW)
    with pytest.raises(BusyTryAgain):
        ACTS[name](visit, front_desk)
    fresh = Appointment.objects.get(pk=visit.pk)
    ACTS[name](fresh, front_desk)


def test_undoing_a_move_is_refused_when_it_leads_to_a_schedule_that_is_not_locked(visit, nora, evaluation):
    otto = make_therapist("Otto", position=2)
    evaluation.therapists.add(otto)
    stale = move_appointment(appointment=visit, starts_at=NINE_ON_TUESDAY, therapist=nora, now=NOW)
    fresh = Appointment.objects.get(pk=visit.pk)
    fresh = move_appointment(appointment=fresh, starts_at=NINE_ON_TUESDAY, therapist=otto, now=NOW + MINUTE)
    move_appointment(appointment=fresh, starts_at=NINE_ON_TUESDAY, therapist=nora, now=NOW + MINUTE)
    with pytest.raises(BusyTryAgain):
        undo_move(appointment=stale, now=NOW + 2 * MINUTE)
    with pytest.raises(VisitChanged):
        undo_move(appointment=stale, version=stale.version, now=NOW + 2 * MINUTE)


def test_undoing_a_cancellation_is_refused_in_a_schedule_that_is_not_locked(visit, nora, front_desk):
    stale = cancel_appointment(appointment=visit, by=front_desk, now=NOW)
    fresh = undo_cancellation(appointment=Appointment.objects.get(pk=visit.pk), by=front_desk, now=NOW)
    fresh = move_appointment(appointment=fresh, starts_at=NINE_ON_TUESDAY, therapist=nora, by=front_desk, now=NOW)
    cancel_appointment(appointment=fresh, by=front_desk, now=NOW)
    with pytest.raises(BusyTryAgain):
        undo_cancellation(appointment=stale, by=front_desk, now=NOW)
