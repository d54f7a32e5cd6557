"""Time is blocked over visits, and their patients are asked to choose another time."""

from datetime import timedelta

import pytest
import time_machine

from booking.actions.attend import is_late, is_late_fee_due, mark_arrived
from booking.actions.block_time import ask_to_move, block_time, block_time_and_ask
from booking.actions.change import (
    cancel_appointment,
    is_changeable,
    move_appointment,
    undo_move,
)
from booking.messages.delivery import note_called, visits_to_call
from booking.messages.names import ASKED_TO_MOVE
from booking.messages.relevance import ASKED, KEPT
from booking.models import Appointment, HoursOverride, Service
from booking.schedule.errors import NotMovedOnline, TimeNotBlocked, TooLateToChange, VisitChanged, VisitsInTheWay
from booking.schedule.off_schedule import accept_off_schedule
from booking.schedule.rules import change_deadline, change_deadline_of, is_asked_to_move
from booking.schedule.visit_links import visit_path
from clinic.outbox.models import Message
from clinic.practice.models import Clinic, Proof
from tests.clinic.letters import sweep
from tests.factories import TherapistFactory
from tests.pages import text_of
from tests.world import EVERY_RULE, HOUR, MINUTE, NINE_ON_TUESDAY, NOW, book

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
TOO_LATE = NINE_ON_TUESDAY - 3 * HOUR  # to move online without being asked


@pytest.fixture
def visit(evaluation, post_office):
    visit = book(evaluation)
    sweep(now=NOW)
    post_office.mails.clear()
    return visit


def reload(visit) -> Appointment:
    return Appointment.objects.get(pk=visit.pk)


def block(visit, by, **more) -> HoursOverride:
    """Block the visit's morning, and ask its patient to choose another time."""
    stretch = {"therapist": visit.therapist, "starts_at": visit.starts_at - HOUR, "ends_at": visit.ends_at + HOUR}
    return block_time_and_ask(
        **stretch | {"seen": [visit.pk], "asks": {visit.pk: visit.shown}, "now": NOW} | more, by=by
    )


def test_patient_is_asked_once_and_the_visit_stays_booked(visit, post_office, front_desk):
    block(visit, front_desk)
    for _ in range(2):
        ask_to_move(appointment=visit, version=visit.shown, by=front_desk, now=NOW)
    sweep(now=NOW + MINUTE)
    [mail] = post_office.mails
    assert "/move/" in mail.get_body(("plain",)).get_content()
    assert [event.kind for event in visit.events.all()] == ["booked", "asked"]
    assert reload(visit).shown == visit.shown


def test_asked_patient_moves_by_the_link_until_the_visit_starts(client, visit, front_desk):
    clinic = Clinic.objects.current()
    assert not is_changeable(visit, clinic=clinic, now=TOO_LATE)
    block(visit, front_desk, now=TOO_LATE)
    assert change_deadline_of(visit, clinic=clinic) == visit.starts_at
    link = visit_path(visit, proof=Proof.MAILED, now=TOO_LATE)
    with time_machine.travel(TOO_LATE, tick=False):
        page = client.get(link)
        assert page.context["is_asked_to_move"]
        assert f"{link}move/" in page.content.decode()
        assert client.get(f"{link}move/").status_code == 200
    moved = move_appointment(appointment=visit, starts_at=NINE_ON_TUESDAY + DAY, now=TOO_LATE)
    ordinary = change_deadline(starts_at=moved.starts_at, booked_at=moved.created_at, clinic=clinic)
    assert change_deadline_of(moved, clinic=clinic) == ordinary != moved.starts_at
    assert not is_changeable(visit, clinic=clinic, now=visit.starts_at)


def test_asked_patient_who_cancels_instead_owes_no_late_fee(visit, front_desk):
    Appointment.objects.filter(pk=visit.pk).update(late_fee_cents=4500)
    clinic = Clinic.objects.current()
    assert is_late(visit, clinic=clinic, now=TOO_LATE)
    block(visit, front_desk, now=TOO_LATE)
    assert not is_late(visit, clinic=clinic, now=TOO_LATE)
    canceled = cancel_appointment(appointment=reload(visit), now=TOO_LATE)
    assert not is_late_fee_due(canceled, clinic=clinic)


def test_visit_that_staff_have_not_seen_is_not_blocked_over(visit, front_desk):
    with pytest.raises(VisitsInTheWay):
        block(visit, front_desk, seen=[], asks={})
    stretch = {"therapist": visit.therapist, "starts_at": visit.starts_at, "ends_at": visit.ends_at, "by": front_desk}
    with pytest.raises(VisitsInTheWay):
        block_time(**stretch, despite_visits=True, seen=[])
    assert not HoursOverride.objects.exists()
    block_time(**stretch, despite_visits=True, seen=[visit.pk])


def test_asked_patient_who_undoes_their_move_may_still_move(visit, front_desk):
    block(visit, front_desk, now=TOO_LATE - MINUTE)
    HoursOverride.objects.update(created_at=TOO_LATE - MINUTE)
    moved = move_appointment(appointment=visit, starts_at=NINE_ON_TUESDAY + DAY, now=TOO_LATE)
    back = undo_move(appointment=moved, now=TOO_LATE + MINUTE)
    assert is_changeable(back, clinic=Clinic.objects.current(), now=TOO_LATE + MINUTE)


def test_asked_patient_is_not_reminded_while_the_time_is_blocked(visit, post_office, front_desk):
    closure = block(visit, front_desk)
    sweep(now=NINE_ON_TUESDAY - timedelta(hours=48))
    assert Message.objects.filter(kind="booking_reminder_48h", reason=ASKED).exists()
    closure.delete()
    sweep(now=NINE_ON_TUESDAY - HOUR)
    assert Message.objects.filter(kind="booking_reminder_2h", state="sent").exists()


def test_patient_without_email_is_listed_to_be_called(evaluation, front_desk, post_office):
    visit = book(evaluation, email="", by=front_desk)
    block(visit, front_desk)
    sweep(now=NOW + MINUTE)
    assert list(visits_to_call(now=NOW + MINUTE)) == [visit]
    note_called(appointment=visit, by=front_desk, now=NOW + MINUTE)
    assert not visits_to_call(now=NOW + MINUTE).exists()


@pytest.mark.parametrize("why", ["stale", "canceled", "arrived", "not online", "begun"])
def test_nothing_is_blocked_when_a_visit_cannot_be_asked_about(visit, front_desk, why):
    now, shown = NOW, visit.shown
    if why == "stale":
        shown = "0:booked"
    elif why == "canceled":
        shown = cancel_appointment(appointment=visit, now=NOW).shown
    elif why == "arrived":
        now = NINE_ON_TUESDAY - MINUTE
        shown = mark_arrived(appointment=visit, by=front_desk, now=now).shown
    elif why == "not online":
        Service.objects.update(listing="call_us")
    else:
        now = NINE_ON_TUESDAY
    errors = {"stale": VisitChanged, "not online": NotMovedOnline}
    with pytest.raises(errors.get(why, TooLateToChange)):
        block(visit, front_desk, asks={visit.pk: shown}, now=now)
    assert not HoursOverride.objects.exists()
    assert not Message.objects.filter(kind=ASKED_TO_MOVE).exists()


def test_visit_that_was_moved_is_asked_about_again(visit, front_desk):
    block(visit, front_desk)
    moved = move_appointment(appointment=reload(visit), starts_at=NINE_ON_TUESDAY + DAY, by=front_desk, now=NOW)
    assert Message.objects.filter(kind=ASKED_TO_MOVE, state="waiting").count() == 0
    with pytest.raises(TimeNotBlocked):
        ask_to_move(appointment=moved, by=front_desk, now=NOW)
    block_time(therapist=None, starts_at=moved.starts_at, ends_at=moved.ends_at, despite_visits=True, by=front_desk)
    ask_to_move(appointment=moved, by=front_desk, now=NOW)
    assert Message.objects.filter(kind=ASKED_TO_MOVE, version=2).count() == 1


def test_visit_page_of_a_patient_who_was_not_asked_says_nothing(client, visit, front_desk):
    block_time(therapist=None, starts_at=visit.starts_at, ends_at=visit.ends_at, despite_visits=True, by=front_desk)
    with time_machine.travel(NOW, tick=False):
        page = client.get(visit_path(visit, now=NOW))
    assert not page.context["is_asked_to_move"]
    assert "another time" in text_of(page)  # the ordinary button


def reopen(visit, by) -> None:
    HoursOverride.objects.all().delete()


def shorten_the_block(visit, by) -> None:
    HoursOverride.objects.update(ends_at=visit.starts_at)


def give_the_block_to_another(visit, by) -> None:
    HoursOverride.objects.update(therapist=TherapistFactory())


def keep_it(visit, by) -> None:
    accept_off_schedule(appointment=visit, by=by, now=TOO_LATE)


def move_there(visit, by) -> None:
    move_appointment(appointment=visit, starts_at=NINE_ON_TUESDAY + DAY, by=by, now=TOO_LATE)


def move_there_and_back_into_the_block(visit, by) -> None:
    moved = move_appointment(appointment=visit, starts_at=NINE_ON_TUESDAY + DAY, by=by, now=TOO_LATE)
    move_appointment(
        appointment=moved, starts_at=NINE_ON_TUESDAY, by=by, now=TOO_LATE + MINUTE, despite_rules=EVERY_RULE
    )


def move_there_and_back_before_another_block(visit, by) -> None:
    HoursOverride.objects.all().delete()
    moved = move_appointment(appointment=visit, starts_at=NINE_ON_TUESDAY + DAY, by=by, now=TOO_LATE - HOUR)
    back = move_appointment(appointment=moved, starts_at=NINE_ON_TUESDAY, by=by, now=TOO_LATE, despite_rules=EVERY_RULE)
    block_time(therapist=None, starts_at=back.starts_at, ends_at=back.ends_at, despite_visits=True, by=by)


ENDS = (
    reopen,
    shorten_the_block,
    give_the_block_to_another,
    keep_it,
    move_there,
    move_there_and_back_into_the_block,
    move_there_and_back_before_another_block,
)


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_request_ends_for_the_deadline_the_late_fee_the_page_and_the_messages(client, visit, front_desk, end):
    clinic = Clinic.objects.current()
    block(visit, front_desk, now=TOO_LATE - HOUR)
    Message.objects.filter(kind=ASKED_TO_MOVE).update(state="waiting", due_at=TOO_LATE)
    assert is_asked_to_move(reload(visit))
    end(reload(visit), front_desk)
    current = reload(visit)
    ordinary = change_deadline(starts_at=current.starts_at, booked_at=current.created_at, clinic=clinic)
    assert change_deadline_of(current, clinic=clinic) == ordinary
    assert is_late(current, clinic=clinic, now=TOO_LATE) == (end is not move_there)
    with time_machine.travel(TOO_LATE + 2 * MINUTE, tick=False):
        page = client.get(visit_path(current, now=TOO_LATE + 2 * MINUTE))
    assert not page.context["is_asked_to_move"]
    sweep(now=TOO_LATE + 2 * MINUTE)
    assert not Message.objects.filter(kind=ASKED_TO_MOVE, state__in=["sent", "waiting"]).exists()
    sweep(now=current.starts_at - HOUR)
    assert not Message.objects.filter(reason=ASKED).exists()


def test_request_is_not_sent_if_the_time_is_open_again(visit, front_desk, post_office):
    block(visit, front_desk).delete()
    sweep(now=NOW + MINUTE)
    assert not post_office.mails
    assert Message.objects.get(kind=ASKED_TO_MOVE).reason == KEPT


def test_another_length_at_the_blocked_time_does_not_end_the_request(visit, front_desk):
    Service.objects.update(other_minutes=[45])
    block(visit, front_desk)
    move_appointment(appointment=reload(visit), starts_at=visit.starts_at, minutes=45, by=front_desk, now=NOW)
    assert is_asked_to_move(reload(visit))


def test_late_fee_of_a_canceled_visit_does_not_depend_on_the_block_later(visit, front_desk):
    Appointment.objects.filter(pk=visit.pk).update(late_fee_cents=4500)
    closure = block(visit, front_desk, now=TOO_LATE)
    cancel_appointment(appointment=reload(visit), now=TOO_LATE)
    closure.delete()
    assert not is_late_fee_due(reload(visit), clinic=Clinic.objects.current())


def test_visit_canceled_after_its_time_was_opened_again_is_late(visit, front_desk):
    Appointment.objects.filter(pk=visit.pk).update(late_fee_cents=4500)
    block(visit, front_desk, now=TOO_LATE).delete()
    cancel_appointment(appointment=reload(visit), by=front_desk, now=TOO_LATE)
    assert is_late_fee_due(reload(visit), clinic=Clinic.objects.current())


def test_asking_again_withdraws_that_staff_kept_the_visit_in_blocked_time(visit, front_desk):
    stretch = {"therapist": None, "starts_at": visit.starts_at, "ends_at": visit.ends_at, "by": front_desk}
    block_time(**stretch, despite_visits=True)
    accept_off_schedule(appointment=visit, by=front_desk, now=NOW)
    ask_to_move(appointment=reload(visit), by=front_desk, now=NOW)
    assert is_asked_to_move(reload(visit))


def test_visit_page_has_no_button_to_keep_a_time_that_is_blocked(client, visit, front_desk):
    link = visit_path(visit, now=NOW)
    with time_machine.travel(NOW, tick=False):
        assert "be there" in text_of(client.get(link))
        block(visit, front_desk)
        assert "be there" not in text_of(client.get(link))
