"""What happens on the day of a visit: "I'm here", with the therapist, done; late fees; two people who press at once."""

from datetime import timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from booking.actions.attend import (
    decide_late_fee,
    mark_arrived,
    mark_finished,
    mark_no_show,
    mark_started,
    say_here,
    say_not_here,
    suggest_late_fee,
    undo_finish,
    undo_no_show,
    undo_start,
)
from booking.actions.change import cancel_appointment, move_appointment, undo_cancellation
from booking.models import Appointment
from booking.models.visit_states import HERE_FROM, State
from booking.schedule.errors import ArrivalTooEarly, NoLateFee, TooLateToChange, VisitCancelled, VisitChanged
from clinic.outbox.models import Message
from clinic.practice.models import Patient
from tests.booking.locking import race
from tests.world import DAY, EVERY_RULE, HOUR, MINUTE, NINE_ON_TUESDAY, NOW, book

AT_THE_DOOR = NINE_ON_TUESDAY - 4 * MINUTE
LATE = NINE_ON_TUESDAY - 2 * HOUR


def stored(visit) -> Appointment:
    return Appointment.objects.get(pk=visit.pk)


@pytest.fixture
def visit(db, evaluation):
    return book(evaluation)


@pytest.fixture
def costly(db, evaluation):
    """A visit with a late fee, of which the first is free."""
    evaluation.late_fee_cents = 4500
    evaluation.save()
    return book(evaluation)


# "I'm here"


@pytest.mark.django_db
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.timedeltas(-2 * HOUR, 2 * HOUR))
def test_patient_can_say_here_from_an_hour_before_until_the_end(visit, before):
    now = NINE_ON_TUESDAY - before
    Appointment.objects.filter(pk=visit.pk).update(here_at=None)
    if before > HERE_FROM:
        with pytest.raises(ArrivalTooEarly):
            say_here(appointment=visit, now=now)
    elif now >= visit.ends_at:
        with pytest.raises(TooLateToChange):
            say_here(appointment=visit, now=now)
    else:
        assert say_here(appointment=visit, now=now).waiting_since == now
    assert (stored(visit).here_at is not None) == (NINE_ON_TUESDAY - HERE_FROM <= now < visit.ends_at)


def test_saying_here_and_taking_it_back_are_idempotent(visit):
    for minutes in (0, 1):
        say_here(appointment=visit, now=AT_THE_DOOR + minutes * MINUTE)
    assert (stored(visit).here_at, stored(visit).state, stored(visit).version) == (AT_THE_DOOR, State.BOOKED, 1)
    for _ in range(2):
        say_not_here(appointment=visit, now=AT_THE_DOOR)
    assert stored(visit).waiting_since is None
    assert list(visit.events.values_list("kind", "by")) == [("booked", None), ("here", None), ("here_undo", None)]


@pytest.mark.parametrize("mode", ["video", "phone"])
def test_saying_here_is_for_visits_at_the_clinic(evaluation, mode):
    evaluation.offered_modes = [mode]
    evaluation.save()
    visit = book(evaluation)
    with pytest.raises(TooLateToChange):
        say_here(appointment=visit, now=AT_THE_DOOR)
    assert stored(visit).here_at is None


def test_patient_waits_from_the_earlier_of_both_marks_until_the_therapist_begins(visit, front_desk):
    say_here(appointment=visit, now=AT_THE_DOOR)
    mark_arrived(appointment=visit, by=front_desk, now=NINE_ON_TUESDAY)
    assert stored(visit).waiting_since == AT_THE_DOOR
    with pytest.raises(TooLateToChange):
        say_not_here(appointment=visit, now=NINE_ON_TUESDAY)
    mark_started(appointment=visit, by=front_desk, now=NINE_ON_TUESDAY + MINUTE)
    assert stored(visit).waiting_since is None
    undo_start(appointment=visit, by=front_desk, now=NINE_ON_TUESDAY + 2 * MINUTE)
    assert stored(visit).waiting_since == AT_THE_DOOR


def test_no_one_waits_for_a_visit_that_was_moved_or_cancelled(visit, front_desk):
    say_here(appointment=visit, now=AT_THE_DOOR)
    to = {"starts_at": NINE_ON_TUESDAY + DAY, "by": front_desk, "despite_rules": EVERY_RULE}
    visit = move_appointment(appointment=visit, now=AT_THE_DOOR, **to)
    assert visit.here_at is None
    visit = say_here(appointment=visit, now=AT_THE_DOOR + DAY)
    cancel_appointment(appointment=visit, by=front_desk, now=AT_THE_DOOR + DAY)
    assert stored(visit).here_at is None
    with pytest.raises(VisitCancelled):
        say_here(appointment=visit, now=AT_THE_DOOR + DAY)


# With the therapist, done


@pytest.mark.parametrize("mark", [mark_started, mark_finished])
def test_mark_from_a_booked_visit_means_that_the_patient_came(evaluation, front_desk, mark):
    visit = book(evaluation, is_known=False)
    mark(appointment=visit, by=front_desk, now=NINE_ON_TUESDAY)
    assert stored(visit).arrived_at == NINE_ON_TUESDAY
    assert not Patient.objects.get(pk=stored(visit).patient_id).is_provisional


@pytest.mark.parametrize("has_arrived", [True, False])
@pytest.mark.parametrize(("mark", "undo"), [(mark_started, undo_start), (mark_finished, undo_finish)])
def test_undo_restores_what_was_before_the_press(visit, front_desk, mark, undo, has_arrived):
    if has_arrived:
        mark_arrived(appointment=visit, by=front_desk, now=AT_THE_DOOR)
    before = stored(visit)
    mark(appointment=visit, version=before.shown, by=front_desk, now=NINE_ON_TUESDAY)
    for _ in range(2):
        undo(appointment=visit, by=front_desk, now=NINE_ON_TUESDAY + MINUTE)
    assert (stored(visit).marks, stored(visit).shown) == (before.marks, before.shown)


def test_visit_in_progress_is_neither_moved_nor_cancelled_nor_missed(visit, front_desk):
    mark_started(appointment=visit, by=front_desk, now=NINE_ON_TUESDAY)
    who = {"appointment": visit, "by": front_desk, "now": NINE_ON_TUESDAY + MINUTE}
    acts = (cancel_appointment, mark_no_show, partial(move_appointment, starts_at=NINE_ON_TUESDAY + DAY))
    for act in acts:
        with pytest.raises(TooLateToChange):
            act(**who)
    assert stored(visit).state == State.IN_PROGRESS


# Late fees


def test_late_cancellation_records_the_fee_and_tells_the_patient_what_any_cancellation_tells(costly, front_desk):
    cancel_appointment(appointment=costly, late_fee="waived", by=front_desk, now=LATE)
    assert (stored(costly).status, stored(costly).late_fee) == ("cancelled", "waived")
    assert list(costly.events.values_list("kind", flat=True)) == ["booked", "cancelled", "fee_waived"]
    assert Message.objects.filter(state="waiting").values_list("kind", flat=True).get() == "booking_cancelled"
    undo_cancellation(appointment=costly, by=front_desk, now=LATE + MINUTE)
    assert (stored(costly).status, stored(costly).late_fee) == ("booked", "")


def test_fee_needs_a_cancellation_after_the_deadline_and_an_agreed_fee(evaluation, costly, front_desk):
    with pytest.raises(NoLateFee):
        cancel_appointment(appointment=costly, late_fee="charged", by=front_desk, now=NOW)
    evaluation.late_fee_cents = 0
    evaluation.save()
    free = book(evaluation, name="Bob", starts_at=NINE_ON_TUESDAY + HOUR)
    with pytest.raises(NoLateFee):
        cancel_appointment(appointment=free, late_fee="charged", by=front_desk, now=LATE)
    mark_no_show(appointment=free, by=front_desk, now=free.ends_at)
    cancel_appointment(appointment=costly, by=front_desk, now=NOW)
    for visit in (free, costly):
        with pytest.raises(NoLateFee):
            decide_late_fee(appointment=visit, late_fee="charged", by=front_desk, now=free.ends_at)
    assert not Appointment.objects.exclude(late_fee="").exists()


def test_fee_of_a_no_show_is_decided_changed_and_undone(costly, front_desk):
    mark_no_show(appointment=costly, by=front_desk, now=costly.ends_at)
    for fee in ("charged", "charged", "waived", ""):
        decide_late_fee(appointment=costly, late_fee=fee, by=front_desk, now=costly.ends_at)
    kinds = list(costly.events.values_list("kind", flat=True))
    assert kinds == ["booked", "no_show", "fee_charged", "fee_waived", "fee_undo"]
    decide_late_fee(appointment=costly, late_fee="charged", by=front_desk, now=costly.ends_at)
    undo_no_show(appointment=costly, by=front_desk, now=costly.ends_at)
    assert stored(costly).late_fee == ""


def test_only_the_first_time_is_free_and_only_where_that_was_agreed(evaluation, costly, front_desk):
    assert suggest_late_fee(costly) == "waived"
    later = book(evaluation, starts_at=NINE_ON_TUESDAY + DAY)
    mark_no_show(appointment=costly, by=front_desk, now=costly.ends_at)
    assert (suggest_late_fee(costly), suggest_late_fee(later)) == ("waived", "charged")
    undo_no_show(appointment=costly, by=front_desk, now=costly.ends_at)
    Appointment.objects.update(is_first_late_free=False)
    assert suggest_late_fee(stored(later)) == "charged"


def test_fee_decided_by_two_from_one_page_is_refused_the_second_time(costly, front_desk):
    mark_no_show(appointment=costly, by=front_desk, now=costly.ends_at)
    page = {"appointment": costly, "version": stored(costly).shown, "by": front_desk, "now": costly.ends_at}
    decide_late_fee(late_fee="charged", **page)
    with pytest.raises(VisitChanged):
        decide_late_fee(late_fee="waived", **page)
    assert stored(costly).late_fee == "charged"


# Races, on real connections


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("acts", [(mark_started, mark_no_show), (mark_arrived, mark_finished), (mark_started,) * 2])
def test_of_two_who_press_at_once_from_one_page_one_wins(evaluation, front_desk, acts):
    visit = book(evaluation)
    page = {"appointment": visit, "version": visit.shown, "by": front_desk, "now": NINE_ON_TUESDAY}
    outcomes = race([partial(act, **page) for act in acts])
    assert sorted(type(one).__name__ for one in outcomes) == ["Appointment", "VisitChanged"]
    winner = acts[[type(one) for one in outcomes].index(Appointment)]
    states = {mark_started: "in_progress", mark_no_show: "no_show", mark_arrived: "arrived", mark_finished: "done"}
    assert stored(visit).state.value == states[winner]
    assert len(visit.events.all()) == 2


@pytest.mark.django_db(transaction=True)
def test_patient_says_here_while_staff_cancel(evaluation, front_desk):
    visit = book(evaluation)
    cancel = partial(cancel_appointment, appointment=visit, version=visit.shown, by=front_desk, now=AT_THE_DOOR)
    said, cancelled = race([partial(say_here, appointment=visit, now=AT_THE_DOOR), cancel])
    assert isinstance(cancelled, Appointment), "saying here makes no page of staff stale"
    assert isinstance(said, (Appointment, VisitCancelled))
    assert (stored(visit).status, stored(visit).here_at) == ("cancelled", None)


@pytest.mark.django_db(transaction=True)
def test_patient_says_here_while_staff_mark_the_arrival(evaluation, front_desk):
    visit = book(evaluation)
    mark = partial(mark_arrived, appointment=visit, version=visit.shown, by=front_desk, now=NINE_ON_TUESDAY)
    outcomes = race([partial(say_here, appointment=visit, now=AT_THE_DOOR), mark])
    assert all(isinstance(one, Appointment) for one in outcomes)
    assert stored(visit).state == State.ARRIVED
    assert stored(visit).waiting_since in (AT_THE_DOOR, NINE_ON_TUESDAY)


@pytest.mark.django_db(transaction=True)
def test_late_cancellation_races_with_a_move(evaluation, front_desk):
    evaluation.late_fee_cents = 4500
    evaluation.save()
    visit = book(evaluation)
    page = {"appointment": visit, "version": visit.shown, "by": front_desk, "now": LATE}
    to = {"starts_at": NINE_ON_TUESDAY + timedelta(hours=5), "despite_rules": EVERY_RULE}
    outcomes = race([partial(cancel_appointment, late_fee="charged", **page), partial(move_appointment, **to, **page)])
    assert sum(isinstance(one, Appointment) for one in outcomes) == 1
    assert (stored(visit).late_fee == "charged") == (stored(visit).status == "cancelled")
