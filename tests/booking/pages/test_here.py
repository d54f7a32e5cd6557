""" "I'm here" on a visit's page: when it is offered, what it changes, and what it does not."""

from datetime import timedelta

import pytest
import time_machine

from booking.actions.attend import mark_arrived, mark_finished, mark_started
from booking.actions.change import cancel_appointment
from booking.models import Appointment
from booking.schedule.visit_links import visit_path
from clinic.practice.access.rate_limits import CHECK_INS
from clinic.practice.models import Proof
from tests.world import DAY, HOUR, MINUTE, NINE_ON_TUESDAY, NOW, book

pytestmark = pytest.mark.django_db

AT_THE_DOOR = NINE_ON_TUESDAY - 4 * MINUTE


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(AT_THE_DOOR, tick=False) as clock:
        yield clock


@pytest.fixture
def visit(evaluation):
    return book(evaluation)


def stored() -> Appointment:
    return Appointment.objects.get()


@pytest.mark.parametrize(
    ("ahead", "is_offered"),
    [
        (DAY, False),
        (61 * MINUTE, False),
        (HOUR, True),
        (timedelta(), True),
        (-44 * MINUTE, True),
        (-45 * MINUTE, False),
    ],
)
def test_button_is_there_from_an_hour_before_until_the_end(client, visit, clock, ahead, is_offered):
    path = visit_path(visit, now=NOW)
    clock.move_to(NINE_ON_TUESDAY - ahead)
    page = client.get(path)
    assert (f'action="{path}here/"' in page.text) == is_offered
    assert client.post(path + "here/").status_code == (303 if is_offered else 409)
    assert (stored().here_at is not None) == is_offered


def test_taking_it_back_again_and_again_is_limited(client, visit):
    path = visit_path(visit, now=NOW)
    answers = []
    for _ in range(CHECK_INS.at_once + 1):
        client.post(path + "here/")
        answers.append(client.post(path + "not-here/").status_code)
    assert answers == [303] * CHECK_INS.at_once + [429]
    assert stored().here_at is not None


@pytest.mark.parametrize("proof", [Proof.SHOWN, Proof.MAILED])
def test_saying_here_twice_is_once_and_can_be_taken_back(client, visit, proof):
    path = visit_path(visit, proof=proof, now=NOW)
    for _ in range(2):
        answer = client.post(path + "here/")
        assert (answer.status_code, answer["Location"]) == (303, path)
    page = client.get(path)
    assert page.context["is_here"] and f'action="{path}not-here/"' in page.text and f'"{path}here/"' not in page.text
    assert visit.events.filter(kind="here").count() == 1
    assert client.post(path + "not-here/").status_code == 303
    assert stored().here_at is None and f'action="{path}here/"' in client.get(path).text


@pytest.mark.parametrize("page", ["here/", "not-here/"])
def test_get_changes_nothing(client, visit, page):
    path = visit_path(visit, now=NOW)
    Appointment.objects.update(here_at=AT_THE_DOOR if page == "not-here/" else None)
    before = Appointment.objects.values().get()
    for method in (client.get, client.head):
        assert method(path + page).status_code == 405
    assert Appointment.objects.values().get() == before


def test_too_early_says_from_when_on(client, visit, clock):
    path = visit_path(visit, now=NOW)
    clock.move_to(NINE_ON_TUESDAY - 2 * HOUR)
    page = client.post(path + "here/")
    assert page.status_code == 409 and page.context["is_too_early"]
    assert page.context["here_from"].instant == NINE_ON_TUESDAY - HOUR


@pytest.mark.parametrize("mode", ["phone", "video"])
def test_visit_elsewhere_has_no_button(client, evaluation, mode):
    evaluation.offered_modes = [mode]
    evaluation.save()
    path = visit_path(book(evaluation), now=NOW)
    assert f"{path}here/" not in client.get(path).text
    assert client.post(path + "here/").status_code == 409 and stored().here_at is None


def test_patient_whom_staff_have_seen_reads_so_and_has_no_button(client, visit, front_desk):
    path = visit_path(visit, now=NOW)
    mark_arrived(appointment=visit, by=front_desk, now=AT_THE_DOOR)
    page = client.get(path)
    assert page.context["is_here"] and "here/" not in page.text
    assert client.post(path + "here/").status_code == 303, "a press on an old page is not refused"
    assert client.post(path + "not-here/").status_code == 409
    mark_started(appointment=visit, by=front_desk, now=AT_THE_DOOR)
    page = client.get(path)
    assert not page.context["is_here"] and not page.context["is_ahead"] and page.context["is_booked"]


def test_visit_that_is_done_before_its_end_is_over_for_the_patient(client, visit, clock, front_desk):
    path = visit_path(visit, now=NOW)
    clock.move_to(NINE_ON_TUESDAY + 10 * MINUTE)
    mark_finished(appointment=visit, by=front_desk, now=NINE_ON_TUESDAY + 9 * MINUTE)
    page = client.get(path)
    assert not page.context["is_booked"] and not page.context["is_cancelled"]
    assert client.post(path + "here/").status_code == 409


def test_canceled_visit_cannot_be_waited_for(client, visit, front_desk):
    path = visit_path(visit, now=NOW)
    assert "/here/" in client.get(path).text
    cancel_appointment(appointment=visit, by=front_desk, now=AT_THE_DOOR)
    page = client.post(path + "here/")
    assert page.status_code == 409 and page.context["is_cancelled"] and "/here/" not in page.text
