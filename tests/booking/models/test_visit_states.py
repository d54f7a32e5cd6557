"""The state machine of a visit: the table, the domain functions and the database agree."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from booking.actions.attend import (
    complete_visits,
    confirm_appointment,
    mark_arrived,
    mark_finished,
    mark_no_show,
    mark_started,
    say_here,
    say_not_here,
    undo_arrival,
    undo_finish,
    undo_no_show,
    undo_start,
)
from booking.actions.change import cancel_appointment, move_appointment, undo_cancellation
from booking.actions.report_absence import note_not_coming
from booking.messages.relevance import why_follow_up_unwanted
from booking.models import Appointment
from booking.models.visit_states import (
    AHEAD,
    OVERRUN,
    TABLE,
    Act,
    Marks,
    Outcome,
    Phase,
    State,
    next_state,
    phase_of,
    state_of,
)
from booking.schedule.errors import ArrivalTooEarly, BookingRefused, SlotTaken, TooLateToChange
from booking.tasks import complete_arrived_visits
from clinic.celery import app
from clinic.outbox.models import Message
from tests.booking.today import read_today
from tests.world import EVERY_RULE, NINE_ON_TUESDAY, NOW, book

pytestmark = pytest.mark.django_db

NEW_YORK = ZoneInfo("America/New_York")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ENDS = NINE_ON_TUESDAY + 45 * MINUTE
DURING = {
    Phase.DAYS_AHEAD: NINE_ON_TUESDAY - 5 * DAY,
    Phase.LATER_TODAY: NINE_ON_TUESDAY - HOUR,
    Phase.RUNNING: NINE_ON_TUESDAY + 5 * MINUTE,
    Phase.OVER: ENDS,
}


def perform(act, visit, *, by, now):
    """Call the domain function of `act`, as staff do."""
    who = {"appointment": visit, "by": by, "now": now}
    functions = {
        Act.ARRIVE: mark_arrived,
        Act.UNDO_ARRIVAL: undo_arrival,
        Act.START: mark_started,
        Act.UNDO_START: undo_start,
        Act.FINISH: mark_finished,
        Act.UNDO_FINISH: undo_finish,
        Act.NO_SHOW: mark_no_show,
        Act.UNDO_NO_SHOW: undo_no_show,
        Act.CONFIRM: confirm_appointment,
        Act.CANCEL: cancel_appointment,
        Act.UNDO_CANCEL: undo_cancellation,
    }
    if act in (Act.HERE, Act.NOT_HERE):
        return (say_here if act == Act.HERE else say_not_here)(appointment=visit, now=now)
    if act == Act.CANNOT_COME:
        return note_not_coming(appointment=visit, now=now)
    if act == Act.MOVE:
        return move_appointment(**who, starts_at=visit.starts_at + HOUR, despite_rules=EVERY_RULE)
    return functions[act](**who)


def ways_into(state, now):
    """Return the marks with which a visit can be in `state`, one for each state before."""
    then, later = now - 2 * MINUTE, now - MINUTE
    return {
        State.ARRIVED: [Marks(then)],
        State.IN_PROGRESS: [Marks(then, then), Marks(then, later)],
        State.DONE: [
            Marks(then, None, then),
            Marks(then, None, later),
            Marks(then, then, later),
            Marks(then, later, now),
        ],
        State.COMPLETED: [Marks(then), Marks(then, later)],
    }.get(state, [Marks()])


def put(visit, state, marks, now):
    """Put the visit into `state` by writing its row."""
    status = state.value
    if state in (State.ARRIVED, State.IN_PROGRESS) or (state == State.DONE and now < visit.ends_at):
        status = "booked"
    elif state == State.DONE:
        status = "completed"
    row = {"status": status, "cancelled_at": None, "hold_expires_at": None}
    row |= {"arrived_at": marks.arrived_at, "started_at": marks.started_at, "finished_at": marks.finished_at}
    row |= {"cancelled_at": now - MINUTE} if state == State.CANCELLED else {}
    row |= {"hold_expires_at": now + MINUTE} if state == State.HELD else {}
    Appointment.objects.filter(pk=visit.pk).update(**row)
    return Appointment.objects.get(pk=visit.pk)


@pytest.mark.parametrize("state", State)
def test_every_action_in_every_state_and_phase_follows_the_table(evaluation, front_desk, state):
    visit = book(evaluation)
    ways = [(act, phase, marks) for act in Act for phase in Phase for marks in ways_into(state, DURING[phase])]
    for act, phase, marks in ways:
        now = DURING[phase]
        with transaction.atomic():
            visit = put(visit, state, marks, now)
            assert visit.state == state
            try:
                perform(act, visit, by=front_desk, now=now)
                after = Appointment.objects.get().state
            except BookingRefused:
                after = None
            assert after == next_state(state, act, phase, before=marks.before), (state, act, phase, marks)
            transaction.set_rollback(True)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(
        st.tuples(st.sampled_from(Act), st.timedeltas(timedelta(), DAY) | st.timedeltas(timedelta(), HOUR)),
        min_size=3,
        max_size=14,
    )
)
@pytest.mark.long
def test_random_acts_on_a_visit_follow_the_table_and_the_constraints(evaluation, front_desk, acts):
    savepoint = transaction.savepoint_create()  # booking refuses to run inside another atomic block
    visit, now = book(evaluation, now=NINE_ON_TUESDAY - 3 * DAY), NINE_ON_TUESDAY - 3 * DAY
    for act, pause in acts:
        now += pause
        complete_visits(now=now)
        visit = Appointment.objects.get(pk=visit.pk)
        phase = phase_of(starts_at=visit.starts_at, ends_at=visit.ends_at, now=now, zone=NEW_YORK)
        expected = next_state(visit.state, act, phase, before=visit.marks.before)
        assert not (visit.state == State.ARRIVED and phase == Phase.OVER), "arrived and over is completed"
        try:
            perform(act, visit, by=front_desk, now=now)
        except BookingRefused:
            # A cancellation can be undone for three minutes only, and "I'm here" begins an hour before the visit; beyond
            # that the table alone decides.
            assert expected is None or act in (Act.UNDO_CANCEL, Act.HERE)
        else:
            assert Appointment.objects.get(pk=visit.pk).state == expected
    transaction.savepoint_rollback(savepoint)


def test_every_mark_can_be_undone():
    for act, undo, phases in (
        (Act.ARRIVE, Act.UNDO_ARRIVAL, Phase),
        (Act.NO_SHOW, Act.UNDO_NO_SHOW, Phase),
        (Act.CANCEL, Act.UNDO_CANCEL, AHEAD),
    ):
        for phase in phases:
            if (after := next_state(State.BOOKED, act, phase)) is not None:
                assert next_state(after, undo, phase) == State.BOOKED


MARKS = {Act.START: Act.UNDO_START, Act.FINISH: Act.UNDO_FINISH}


@given(
    acts=st.lists(st.tuples(st.sampled_from([Act.ARRIVE, *MARKS]), st.timedeltas(timedelta(), HOUR)), max_size=5),
    last=st.sampled_from(list(MARKS)),
)
def test_undoing_the_latest_mark_restores_exactly_what_was_before(acts, last):
    """The marks are pure: any acts in the time of the visit, then one more, then its undo."""
    marks, now, phase = Marks(), NINE_ON_TUESDAY, Phase.RUNNING
    for act, pause in [*acts, (last, MINUTE)]:
        before, now = marks, now + pause + timedelta(seconds=1)
        state = state_of("booked", before)
        after = next_state(state, act, phase, before=before.before)
        marks = before if after in (None, state) else before.after(after, now=now)
        assert state_of("booked", marks) == (after or state)
    if marks != before:
        restored = next_state(state_of("booked", marks), MARKS[last], phase, before=marks.before)
        assert restored == state
        assert marks.after(restored, now=now) == before


def test_every_state_but_held_can_be_left():
    left = {state for (state, act), step in TABLE.items() if step.to != state}
    assert left == set(State) - {State.HELD}


@pytest.mark.parametrize(
    ("now", "phase"),
    [
        (datetime(2026, 12, 1, 4, 59, tzinfo=UTC), Phase.DAYS_AHEAD),  # 11:59 PM on Monday in New York
        (datetime(2026, 12, 1, 5, 0, tzinfo=UTC), Phase.LATER_TODAY),
        (NINE_ON_TUESDAY, Phase.RUNNING),
        (ENDS - timedelta(microseconds=1), Phase.RUNNING),
        (ENDS, Phase.OVER),
    ],
)
def test_arrivals_begin_with_the_clinics_day(evaluation, front_desk, now, phase):
    visit = book(evaluation)
    assert phase_of(starts_at=visit.starts_at, ends_at=visit.ends_at, now=now, zone=NEW_YORK) == phase
    if phase == Phase.DAYS_AHEAD:
        with pytest.raises(ArrivalTooEarly):
            mark_arrived(appointment=visit, by=front_desk, now=now)
    else:
        assert mark_arrived(appointment=visit, by=front_desk, now=now).arrived_at == now


def test_arrived_visit_is_completed_automatically_once_it_is_over(evaluation, front_desk):
    visit = book(evaluation)
    mark_arrived(appointment=visit, by=front_desk, now=NINE_ON_TUESDAY - 5 * MINUTE)
    assert complete_visits(now=ENDS - MINUTE) == 0
    message = Message.objects.get(kind="booking_follow_up")
    assert why_follow_up_unwanted(message, ENDS) is None, "before the sweep has passed too"
    assert complete_visits(now=ENDS) == 1
    assert complete_visits(now=ENDS) == 0
    assert Appointment.objects.get().status == "completed"
    assert why_follow_up_unwanted(message, ENDS) is None


def test_sweep_that_completes_visits_runs_every_minute(evaluation, front_desk):
    visit = book(evaluation, now=NOW - 20 * DAY, starts_at=NINE_ON_TUESDAY - 14 * DAY)
    mark_arrived(appointment=visit, by=front_desk, now=visit.starts_at)
    complete_arrived_visits.apply()
    assert Appointment.objects.get().status == "completed"
    (entry,) = (entry for entry in app.conf.beat_schedule.values() if entry["task"] == complete_arrived_visits.name)
    assert entry["schedule"] <= 60


def test_visit_in_progress_may_overrun_and_is_completed_if_forgotten(evaluation, front_desk):
    visit = book(evaluation)
    mark_started(appointment=visit, by=front_desk, now=NINE_ON_TUESDAY)
    assert complete_visits(now=ENDS + OVERRUN - MINUTE) == 0
    assert Appointment.objects.get().state == State.IN_PROGRESS
    assert complete_visits(now=ENDS + OVERRUN) == 1
    after = Appointment.objects.get()
    assert (after.state, after.started_at, after.finished_at) == (State.COMPLETED, NINE_ON_TUESDAY, None)


def test_time_of_a_visit_that_is_done_early_stays_blocked_until_its_end(evaluation, front_desk):
    visit = book(evaluation)
    mark_finished(appointment=visit, by=front_desk, now=NINE_ON_TUESDAY + 5 * MINUTE)
    after = Appointment.objects.get()
    assert (after.state, after.status, after.is_ahead(NINE_ON_TUESDAY - MINUTE)) == (State.DONE, "booked", False)
    at = {"starts_at": NINE_ON_TUESDAY + 30 * MINUTE, "now": NINE_ON_TUESDAY + 10 * MINUTE}
    with pytest.raises(SlotTaken):
        book(evaluation, name="Walter", by=front_desk, despite_rules=EVERY_RULE, **at)
    assert complete_visits(now=ENDS) == 1
    assert Appointment.objects.get().state == State.DONE


def test_unmarked_visit_is_not_completed_and_still_listed(evaluation):
    visit = book(evaluation)
    assert complete_visits(now=ENDS + DAY) == 0
    assert read_today(now=ENDS + DAY).unmarked == [visit]
    assert visit.outcome_at(ENDS + 365 * DAY) == Outcome.UNMARKED


@pytest.mark.parametrize("state", State)
def test_outcome_of_a_visit_matches_the_query_by_outcome(evaluation, state):
    """Exactly one outcome before, during, at the end of and after the visit."""
    visit = book(evaluation)
    for marks in ways_into(state, NOW):
        visit = put(visit, state, marks, NOW)
        for now in (NOW, ENDS - timedelta(seconds=1), ENDS, ENDS + DAY):
            found = [one for one in Outcome if Appointment.objects.with_outcome(one, now=now)]
            assert found == [visit.outcome_at(now)]
        assert Appointment.objects.with_outcome(*Outcome, now=NOW).get() == visit


def test_booked_visit_is_open_until_its_end_and_then_unmarked(evaluation):
    visit = book(evaluation)
    assert (visit.outcome_at(ENDS - MINUTE), visit.outcome_at(ENDS)) == (Outcome.OPEN, Outcome.UNMARKED)


def test_arrival_of_a_no_show_is_refused_while_another_visit_has_the_time(evaluation, front_desk):
    visit = book(evaluation)
    during = NINE_ON_TUESDAY + 20 * MINUTE
    mark_no_show(appointment=visit, by=front_desk, now=during)
    walk_in = book(evaluation, name="Walter", starts_at=during, now=during, by=front_desk, despite_rules=EVERY_RULE)
    for act in (mark_arrived, undo_no_show):
        with pytest.raises(SlotTaken):
            act(appointment=visit, by=front_desk, now=during)
    assert Appointment.objects.get(pk=visit.pk).status == "no_show"
    assert mark_arrived(appointment=visit, by=front_desk, now=walk_in.ends_at).status == "completed", (
        "over: time is free"
    )


def test_undoing_keeps_the_history_and_is_idempotent(evaluation, front_desk):
    visit = book(evaluation)
    mark_arrived(appointment=visit, by=front_desk, now=NINE_ON_TUESDAY)
    for _ in range(2):
        assert undo_arrival(appointment=visit, by=front_desk, now=ENDS).state == State.BOOKED
    mark_no_show(appointment=visit, by=front_desk, now=ENDS)
    for _ in range(2):
        assert undo_no_show(appointment=visit, by=front_desk, now=ENDS).state == State.BOOKED
    kinds = list(visit.events.values_list("kind", flat=True))
    assert kinds == ["booked", "arrived", "arrived_undo", "no_show", "no_show_undo"]


def test_completed_visit_is_unmarked_when_its_arrival_is_undone(evaluation, front_desk):
    visit = book(evaluation)
    mark_arrived(appointment=visit, by=front_desk, now=NINE_ON_TUESDAY)
    complete_visits(now=ENDS)
    undo_arrival(appointment=visit, by=front_desk, now=ENDS + HOUR)
    assert read_today(now=ENDS + DAY).unmarked == [visit]


def test_arrival_takes_the_visit_off_the_not_coming_list(evaluation, front_desk):
    visit = note_not_coming(appointment=book(evaluation), now=NINE_ON_TUESDAY - HOUR)
    assert read_today(now=NINE_ON_TUESDAY - MINUTE).cannot_come == [visit]
    mark_arrived(appointment=visit, by=front_desk, now=NINE_ON_TUESDAY)
    assert read_today(now=NINE_ON_TUESDAY).cannot_come == []
    with pytest.raises(TooLateToChange):
        note_not_coming(appointment=visit, now=NINE_ON_TUESDAY)


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("appointment_completed_has_arrived", {"status": "completed"}),
        ("appointment_no_show_has_not_arrived", {"status": "no_show", "arrived_at": NOW}),
        (
            "appointment_arrived_is_not_held_nor_cancelled",
            {"status": "cancelled", "cancelled_at": NOW, "arrived_at": NOW},
        ),
        (
            "appointment_arrived_is_not_held_nor_cancelled",
            {"status": "held", "hold_expires_at": NOW, "arrived_at": NOW},
        ),
        ("appointment_started_and_finished_have_arrived", {"started_at": NOW}),
        ("appointment_started_and_finished_have_arrived", {"finished_at": NOW}),
        ("appointment_marks_are_in_order", {"arrived_at": NOW, "started_at": NOW - MINUTE}),
        ("appointment_marks_are_in_order", {"arrived_at": NOW, "finished_at": NOW - MINUTE}),
        ("appointment_marks_are_in_order", {"arrived_at": NOW, "started_at": NOW + HOUR, "finished_at": NOW + MINUTE}),
        ("appointment_here_is_at_the_clinic", {"here_at": NOW, "mode": "phone"}),
        ("appointment_here_is_at_the_clinic", {"here_at": NOW, "mode": "video"}),
        ("appointment_here_is_at_the_clinic", {"here_at": NOW, "status": "cancelled", "cancelled_at": NOW}),
        ("appointment_here_is_at_the_clinic", {"here_at": NOW, "status": "held", "hold_expires_at": NOW}),
        ("appointment_late_fee_is_known", {"late_fee": "doubled", "status": "no_show", "late_fee_cents": 4500}),
        ("appointment_late_fee_was_agreed_and_is_due", {"late_fee": "charged", "late_fee_cents": 4500}),
        ("appointment_late_fee_was_agreed_and_is_due", {"late_fee": "waived", "status": "no_show"}),
    ],
)
def test_state_outside_the_table_is_refused_by_the_database(evaluation, constraint, changes):
    visit = book(evaluation)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Appointment.objects.filter(pk=visit.pk).update(**changes)
