"""Two people change one visit at once, on real connections: one of them is told, and nothing is lost."""

import pytest

from booking.actions.block_time import block_time_and_ask
from booking.actions.change import move_appointment, undo_move
from booking.models import Appointment, HoursOverride, Service
from booking.schedule.errors import BookingRefused
from clinic.outbox.models import Message
from tests.booking.locking import overlaps, race
from tests.factories import UserFactory
from tests.world import HOUR, MINUTE, NINE_ON_TUESDAY, NOW, book, make_therapist

pytestmark = pytest.mark.django_db(transaction=True)

AT_ELEVEN, AT_TWO = NINE_ON_TUESDAY + 2 * HOUR, NINE_ON_TUESDAY + 5 * HOUR


@pytest.fixture
def staff(db):
    return UserFactory(roles=["front-desk"]), UserFactory(name="Nora Field", roles=["therapist"])


def assert_one_won(outcomes, visit):
    """Check that one act was done, the other was refused, and that the messages are those of the visit as it is."""
    done = [one for one in outcomes if isinstance(one, Appointment)]
    assert len(done) == 1
    assert sum(isinstance(one, BookingRefused) for one in outcomes) == 1
    row = Appointment.objects.get(pk=visit.pk)
    assert (row.starts_at, row.therapist_id, row.version) == (done[0].starts_at, done[0].therapist_id, done[0].version)
    assert {one.version for one in Message.objects.filter(subject_id=visit.pk, state="waiting")} == {row.version}
    assert overlaps() == 0


@pytest.mark.parametrize("_round", range(3))
def test_undo_by_staff_and_move_by_the_patient(evaluation, staff, _round):
    visit = book(evaluation)
    moved = move_appointment(appointment=visit, starts_at=AT_ELEVEN, by=staff[0], now=NOW)
    outcomes = race(
        [
            lambda: undo_move(appointment=moved, version=moved.shown, by=staff[0], now=NOW + MINUTE),
            lambda: move_appointment(appointment=moved, starts_at=AT_TWO, version=2, now=NOW + MINUTE),
        ]
    )
    assert_one_won(outcomes, visit)


@pytest.mark.parametrize("_round", range(3))
def test_two_of_the_staff_move_one_visit(evaluation, staff, _round):
    visit, nora = book(evaluation), make_therapist("Nora", position=1)
    evaluation.therapists.add(nora)
    Service.objects.update(other_minutes=[60])
    more = {"appointment": visit, "version": visit.shown, "now": NOW}
    outcomes = race(
        [
            lambda: move_appointment(starts_at=AT_ELEVEN, by=staff[0], **more),
            lambda: move_appointment(starts_at=AT_TWO, therapist=nora, minutes=60, by=staff[1], **more),
        ]
    )
    assert_one_won(outcomes, visit)


@pytest.mark.parametrize("_round", range(3))
def test_time_is_blocked_while_the_patient_moves_away(evaluation, staff, _round):
    visit = book(evaluation)
    stretch = {"therapist": visit.therapist, "starts_at": visit.starts_at, "ends_at": visit.ends_at}
    blocked, moved = race(
        [
            lambda: block_time_and_ask(**stretch, seen=[visit.pk], asks={visit.pk: visit.shown}, by=staff[0], now=NOW),
            lambda: move_appointment(appointment=visit, starts_at=AT_TWO, version=1, now=NOW),
        ]
    )
    assert isinstance(moved, Appointment)
    assert HoursOverride.objects.exists() == isinstance(blocked, HoursOverride)
    waiting = Message.objects.filter(subject_id=visit.pk, state="waiting")
    assert {one.version for one in waiting} == {2}, "a patient who has moved away is not asked to"
