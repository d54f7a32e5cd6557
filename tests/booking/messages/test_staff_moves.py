"""Moves by staff: undone before any message, without telling the patient, and to another length."""

from dataclasses import replace
from datetime import timedelta

import icalendar
import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from booking.actions.attend import confirm_appointment, mark_arrived, mark_started
from booking.actions.change import cancel_appointment, move_appointment, terms_before_move, undo_cancellation, undo_move
from booking.messages.last_told import current_terms, news_of
from booking.models import Appointment, Service, SlotOffer
from booking.models.service import LENGTHS
from booking.models.visit_states import UNDO_FOR
from booking.schedule.errors import LengthNotOffered, SlotTaken, TooLateToUndo, VisitChanged
from booking.schedule.rules import allowed_minutes
from booking.schedule.visit_links import visit_path
from booking.time.intervals import VisitShape
from clinic.outbox.models import Message
from clinic.practice.models import Proof
from tests.booking.messages.rendering import when
from tests.booking.waiting import wait
from tests.clinic.letters import sweep as sweep_at
from tests.pages import text_of as text_of_page
from tests.world import EVERY_RULE, HOUR, MINUTE, NINE_ON_TUESDAY, NOW, book, make_therapist

pytestmark = pytest.mark.django_db

AT_ELEVEN = NINE_ON_TUESDAY + 2 * HOUR
AT_TWO = NINE_ON_TUESDAY + 5 * HOUR


def sweep(at):
    sweep_at(now=at)


@pytest.fixture
def visit(evaluation, post_office):
    """Alice's visit on Tuesday at 9:00, 45 minutes, whose confirmation was sent."""
    visit = book(evaluation)
    sweep(NOW)
    post_office.mails.clear()
    return visit


@pytest.fixture
def longer(evaluation):
    """The evaluation may also take 30 or 60 minutes."""
    Service.objects.filter(pk=evaluation.pk).update(other_minutes=[30, 60])


def reload(visit) -> Appointment:
    return Appointment.objects.get(pk=visit.pk)


def move(visit, starts_at=AT_ELEVEN, *, by, now=NOW, **more) -> Appointment:
    return move_appointment(appointment=reload(visit), starts_at=starts_at, by=by, now=now, **more)


def body_of(mail) -> str:
    return " ".join(mail.get_body(("plain",)).get_content().split())


def event_of(mail):
    [calendar] = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    return icalendar.Calendar.from_ical(calendar.get_content()).walk("VEVENT")[0]


# Undo


def test_undone_move_sends_nothing_and_restores_everything(client, visit, post_office, front_desk, meredith):
    nora = make_therapist("Nora", position=1)
    visit.service.therapists.add(nora)
    Service.objects.filter(pk=visit.service_id).update(other_minutes=[60])
    confirm_appointment(appointment=visit, now=NOW)
    mailed, before = visit_path(visit, proof=Proof.MAILED, now=NOW), reload(visit)
    moved = move(visit, by=front_desk, therapist=nora, minutes=60)
    assert (moved.minutes, moved.confirmed_at) == (60, None)
    back = undo_move(appointment=moved, version=moved.shown, by=front_desk, now=NOW + 2 * MINUTE)
    sweep(NOW + timedelta(hours=2))
    assert post_office.mails == []
    assert current_terms(back) == current_terms(before)
    assert (back.confirmed_at, back.blocked) == (NOW, before.blocked)
    assert back.sequence == 2
    with time_machine.travel(NOW + 3 * MINUTE, tick=False):
        assert client.get(mailed).status_code == 200


def test_reminder_that_becomes_due_just_after_a_move_waits_until_it_cannot_be_undone(visit, post_office, front_desk):
    now = AT_TWO - timedelta(hours=48) - MINUTE
    move(visit, AT_TWO, by=front_desk, now=now)
    sweep(now + 2 * MINUTE)
    assert post_office.mails == []
    undo_move(appointment=reload(visit), by=front_desk, now=now + 2 * MINUTE)
    sweep(now + HOUR)
    assert not any("2:00 PM" in body_of(mail) for mail in post_office.mails)


def test_arrival_is_restored_when_a_move_is_undone(visit, front_desk):
    at = NINE_ON_TUESDAY + 5 * MINUTE
    mark_arrived(appointment=visit, by=front_desk, now=at)
    moved = move(visit, by=front_desk, now=at, despite_rules=EVERY_RULE)
    assert moved.arrived_at is None
    assert undo_move(appointment=moved, by=front_desk, now=at + MINUTE).arrived_at == at


@pytest.mark.parametrize("mark", [mark_arrived, mark_started, confirm_appointment])
def test_move_is_not_undone_once_the_visit_is_marked_at_its_new_time(visit, front_desk, mark):
    at = NINE_ON_TUESDAY - HOUR
    moved = move(visit, by=front_desk, now=at, despite_rules=EVERY_RULE)
    mark(appointment=moved, by=front_desk, now=at + MINUTE)
    with pytest.raises(TooLateToUndo):
        undo_move(appointment=reload(visit), by=front_desk, now=at + 2 * MINUTE)
    assert reload(visit).starts_at == AT_ELEVEN


@pytest.mark.parametrize("who", ["late", "patient's move", "undone already", "canceled", "stale"])
def test_staff_undo_only_a_recent_move_by_staff(visit, front_desk, who):
    move(visit, by=None if who == "patient's move" else front_desk)
    if who == "undone already":
        undo_move(appointment=reload(visit), by=front_desk, now=NOW)
    if who == "canceled":
        cancel_appointment(appointment=visit, now=NOW)
    before = Appointment.objects.filter(pk=visit.pk).values().get()
    with pytest.raises(VisitChanged if who == "stale" else TooLateToUndo):
        undo_move(
            appointment=reload(visit),
            version=1 if who == "stale" else None,
            by=front_desk,
            now=NOW + (UNDO_FOR if who == "late" else MINUTE),
        )
    assert Appointment.objects.filter(pk=visit.pk).values().get() == before
    assert terms_before_move(reload(visit), by=None, now=NOW) is None or who == "patient's move"


def test_undo_of_a_second_move_returns_to_the_first_which_is_then_announced(visit, post_office, front_desk):
    move(visit, by=front_desk)
    move(visit, AT_TWO, by=front_desk, now=NOW + MINUTE)
    undo_move(appointment=reload(visit), by=front_desk, now=NOW + 2 * MINUTE)
    sweep(NOW + 4 * MINUTE)
    assert post_office.mails == []
    sweep(NOW + 5 * MINUTE)
    [mail] = post_office.mails
    assert f"Moved from {when(NINE_ON_TUESDAY)} to {when(AT_ELEVEN)}." in body_of(mail)


def test_undo_withdraws_the_offers_of_the_time_that_was_free_for_a_moment(visit, evaluation, post_office, front_desk):
    wait(evaluation, name="Wanda Waiting")
    move(visit, by=front_desk)
    assert SlotOffer.objects.count() == 1
    undo_move(appointment=reload(visit), by=front_desk, now=NOW + MINUTE)
    assert not SlotOffer.objects.exists()
    sweep(NOW + HOUR)
    assert not any(mail["Subject"].startswith("A time is free") for mail in post_office.mails)


# Without telling the patient


def test_silent_move_sends_nothing_and_the_later_reminder_shows_the_new_time_and_its_calendar_entry(
    client, visit, post_office, front_desk
):
    mailed = visit_path(visit, proof=Proof.MAILED, now=NOW)
    move(visit, by=front_desk, notify=False)
    sweep(NOW + HOUR)
    assert post_office.mails == []
    with time_machine.travel(NOW + HOUR, tick=False):
        page = client.get(mailed)
    assert page.status_code == 200
    assert f"Moved from {when(NINE_ON_TUESDAY)} to {when(AT_ELEVEN)}" in text_of_page(page)
    assert page.context["mail_news"] is None
    sweep(AT_ELEVEN - timedelta(hours=48))
    [reminder] = post_office.mails
    assert f"Moved from {when(NINE_ON_TUESDAY)} to {when(AT_ELEVEN)}." in body_of(reminder)
    event = event_of(reminder)
    assert (event.decoded("dtstart"), event["sequence"]) == (AT_ELEVEN, 1)
    sweep(AT_ELEVEN - timedelta(hours=2))
    assert len(post_office.mails) == 2
    assert "Moved from" not in body_of(post_office.mails[-1]), "they know it since the first reminder"


def test_move_after_a_silent_one_is_told_from_the_time_that_the_patient_knows(visit, post_office, front_desk):
    move(visit, by=front_desk, notify=False)
    move(visit, AT_TWO, by=front_desk, now=NOW + HOUR)
    sweep(NOW + 2 * HOUR)
    [mail] = post_office.mails
    assert f"Moved from {when(NINE_ON_TUESDAY)} to {when(AT_TWO)}." in body_of(mail)


def test_silence_outlasts_an_undone_move_and_an_undone_cancellation(client, visit, post_office, front_desk):
    mailed = visit_path(visit, proof=Proof.MAILED, now=NOW)
    move(visit, by=front_desk, notify=False)
    move(visit, AT_TWO, by=front_desk, now=NOW + HOUR)
    undo_move(appointment=reload(visit), by=front_desk, now=NOW + HOUR + MINUTE)
    cancel_appointment(appointment=visit, by=front_desk, now=NOW + 2 * HOUR)
    undo_cancellation(appointment=visit, by=front_desk, now=NOW + 2 * HOUR + MINUTE)
    sweep(NOW + 5 * HOUR)
    assert post_office.mails == []
    assert reload(visit).starts_at == AT_ELEVEN
    with time_machine.travel(NOW + 5 * HOUR, tick=False):
        assert client.get(mailed).status_code == 200


def test_silent_move_before_the_confirmation_was_sent_is_confirmed_with_the_new_time(
    evaluation, post_office, front_desk
):
    visit = book(evaluation)
    move(visit, by=front_desk, notify=False)
    sweep(NOW + 2 * MINUTE)
    assert post_office.mails == []
    sweep(NOW + 3 * MINUTE)
    assert [mail["Subject"] for mail in post_office.mails] == [f"You are booked: {when(AT_ELEVEN)}"]


def test_silent_move_after_an_announced_one_restores_the_link_and_withdraws_the_email(
    client, visit, post_office, front_desk
):
    mailed = visit_path(visit, proof=Proof.MAILED, now=NOW)
    move(visit, by=front_desk)
    move(visit, AT_TWO, by=front_desk, notify=False, now=NOW + MINUTE)
    sweep(NOW + HOUR)
    assert post_office.mails == []
    with time_machine.travel(NOW + HOUR, tick=False):
        assert client.get(mailed).status_code == 200


def test_history_says_that_the_patient_was_not_told(visit, front_desk):
    move(visit, by=front_desk, notify=False)
    assert [(event.kind, event.is_silent) for event in visit.events.all()] == [("booked", False), ("moved", True)]
    assert news_of(reload(visit)) is None


@pytest.mark.parametrize("more", [{"notify": False}, {"minutes": 45}, {"despite_rules": EVERY_RULE}])
def test_patient_may_not_move_silently_nor_choose_a_length(visit, more):
    with pytest.raises(ValueError, match="staff"):
        move_appointment(appointment=visit, starts_at=AT_ELEVEN, now=NOW, **more)


# Another length


@pytest.mark.usefixtures("longer")
def test_longer_visit_keeps_buffers_price_and_confirmation_and_is_told_with_its_end(visit, post_office, front_desk):
    confirm_appointment(appointment=visit, now=NOW)
    moved = move(visit, NINE_ON_TUESDAY, by=front_desk, minutes=60)
    assert moved.ends_at == NINE_ON_TUESDAY + HOUR
    assert (moved.blocked.lower, moved.blocked.upper) == (NINE_ON_TUESDAY, NINE_ON_TUESDAY + 75 * MINUTE)
    assert (moved.price_cents, moved.confirmed_at, moved.version, moved.sequence) == (15000, NOW, 2, 1)
    sweep(NOW + 3 * MINUTE)
    [mail] = post_office.mails
    assert all(part in mail["Subject"] for part in ("60 minutes", when(NINE_ON_TUESDAY)))
    assert "60 minutes instead of 45, until 10:00 AM EST." in body_of(mail)
    assert event_of(mail).decoded("dtend") == NINE_ON_TUESDAY + HOUR


@pytest.mark.usefixtures("longer")
def test_undone_length_is_as_before(visit, post_office, front_desk):
    moved = move(visit, NINE_ON_TUESDAY, by=front_desk, minutes=60)
    back = undo_move(appointment=moved, by=front_desk, now=NOW + MINUTE)
    sweep(NOW + HOUR)
    assert (back.minutes, back.ends_at, post_office.mails) == (45, visit.ends_at, [])
    assert back.blocked == visit.blocked


@pytest.mark.usefixtures("longer")
def test_longer_visit_never_overlaps_the_next_one(visit, evaluation, front_desk):
    book(evaluation, starts_at=NINE_ON_TUESDAY + HOUR, name="Bob Walker")
    with pytest.raises(SlotTaken):
        move(visit, NINE_ON_TUESDAY, by=front_desk, minutes=60, despite_rules=EVERY_RULE)
    assert move(visit, NINE_ON_TUESDAY, by=front_desk, minutes=30).minutes == 30


@pytest.mark.usefixtures("longer")
def test_running_visit_is_made_longer_without_a_rule_about_its_start(visit, front_desk):
    at = NINE_ON_TUESDAY + 10 * MINUTE
    mark_arrived(appointment=visit, by=front_desk, now=at)
    moved = move(visit, NINE_ON_TUESDAY, by=front_desk, minutes=60, now=at)
    assert (moved.minutes, moved.arrived_at) == (60, at)


@pytest.mark.parametrize("minutes", [50, 60, 5, -45])
def test_length_that_the_service_does_not_allow_is_refused_even_despite_rules(visit, front_desk, minutes):
    with pytest.raises(LengthNotOffered):
        move(visit, by=front_desk, minutes=minutes, despite_rules=EVERY_RULE)
    assert reload(visit).version == 1


@given(
    agreed=st.sampled_from(LENGTHS),
    now=st.sampled_from(LENGTHS),
    others=st.lists(st.sampled_from(LENGTHS), max_size=5),
)
def test_allowed_lengths_are_sorted_and_contain_the_visits_own(agreed, now, others):
    service = Service(minutes=now, other_minutes=others)
    visit = Appointment(service=service, starts_at=NOW, ends_at=NOW + timedelta(minutes=agreed))
    found = allowed_minutes(visit)
    assert found == sorted(set(found))
    assert set(found) == {agreed, now, *others}


@given(
    minutes=st.sampled_from(LENGTHS),
    other=st.sampled_from(LENGTHS),
    prepare=st.integers(0, 240),
    turnover=st.integers(0, 240),
)
def test_another_length_moves_only_the_end(minutes, other, prepare, turnover):
    shape = VisitShape(minutes, 30, prepare, turnover)
    before, after = shape.blocked(NOW), replace(shape, minutes=other).blocked(NOW)
    assert before.start == after.start
    assert after.end - before.end == timedelta(minutes=other - minutes)


# Planning


def test_text_about_a_move_waits_as_the_email_does(visit, front_desk):
    move(visit, by=front_desk)
    assert {message.due_at for message in Message.objects.filter(kind="booking_moved")} == {NOW + UNDO_FOR}
