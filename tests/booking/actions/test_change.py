"""Moving, cancelling and undoing are atomic, plan the right messages, and end links when they should."""

import uuid
from datetime import timedelta

import icalendar
import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from booking.actions.block_time import block_time
from booking.actions.change import cancel_appointment, move_appointment, undo_cancellation
from booking.models import Appointment
from booking.pages.move import SENT_TWICE_WITHIN
from booking.schedule.errors import NotOfferedBecause, SlotNotOffered, SlotTaken, TooLateToChange, TooLateToUndo
from booking.schedule.visit_links import intake_path, visit_path
from clinic.outbox.messages.kinds import find_kind
from clinic.outbox.models import Message
from clinic.outbox.sending.hand_over import send_due_messages
from clinic.practice.access.links import revoke_links
from clinic.practice.models import LinkPurpose, PatientLink
from tests.booking.visitors import press
from tests.clinic.letters import render_message
from tests.pages import text_of
from tests.world import EVERY_RULE, NINE_ON_TUESDAY, NOW, book, make_therapist

AT_ELEVEN = NINE_ON_TUESDAY + timedelta(hours=2)
AT_TWO = NINE_ON_TUESDAY + timedelta(hours=5)


def state_of(visit) -> dict:
    return Appointment.objects.filter(pk=visit.pk).values().get()


def waiting(visit) -> dict[str, int]:
    return dict(Message.objects.filter(subject_id=visit.pk, state="waiting").values_list("kind", "version"))


def move(visit, starts_at=AT_ELEVEN, **changes):
    return move_appointment(appointment=visit, starts_at=starts_at, **{"now": NOW, **changes})


def test_move_updates_the_row_records_an_event_and_plans_messages(evaluation):
    visit = book(evaluation)
    move(visit, AT_TWO)
    visit.refresh_from_db()
    assert (visit.starts_at, visit.ends_at) == (AT_TWO, AT_TWO + timedelta(minutes=45))
    assert (visit.blocked.lower, visit.blocked.upper) == (AT_TWO, AT_TWO + timedelta(minutes=60))
    assert (visit.version, visit.sequence, visit.status) == (2, 1, "booked")
    assert list(visit.events.values_list("kind", flat=True)) == ["booked", "moved"]
    assert waiting(visit) == {
        "booking_moved": 2,
        "booking_reminder_48h": 2,
        "booking_reminder_2h": 2,
        "booking_follow_up": 2,
    }
    assert set(Message.objects.filter(subject_id=visit.pk, version=1).values_list("state", "reason").distinct()) == {
        ("skipped", "the visit was moved")
    }
    assert book(evaluation, name="Bob Next").starts_at == NINE_ON_TUESDAY  # the old time is free again


def test_move_to_the_same_time_changes_nothing(evaluation):
    visit = book(evaluation)
    before = state_of(visit)
    move(visit, NINE_ON_TUESDAY)
    assert state_of(visit) == before


def test_a_move_may_overlap_the_old_time_of_the_same_visit(evaluation):
    assert move(book(evaluation), NINE_ON_TUESDAY + timedelta(minutes=30)).version == 2


def test_move_clears_the_confirmation(evaluation):
    visit = book(evaluation)
    Appointment.objects.filter(pk=visit.pk).update(confirmed_at=NOW)
    assert move(visit).confirmed_at is None


@pytest.mark.parametrize(
    ("starts_at", "now", "refusal"),
    [
        (AT_ELEVEN, NOW, SlotTaken),
        (NINE_ON_TUESDAY + timedelta(hours=3), NOW, SlotNotOffered),  # lunch
        (AT_TWO, NINE_ON_TUESDAY - timedelta(hours=23), TooLateToChange),
        (NOW + timedelta(hours=1), NOW, SlotNotOffered),
    ],
)
def test_refused_move_changes_nothing(evaluation, starts_at, now, refusal):
    book(evaluation, name="Bob", starts_at=AT_ELEVEN)
    visit = book(evaluation)
    before, messages = state_of(visit), waiting(visit)
    with pytest.raises(refusal):
        move(visit, starts_at, now=now)
    assert (state_of(visit), waiting(visit)) == (before, messages)


def test_a_cancelled_visit_is_not_moved(evaluation):
    visit = book(evaluation)
    cancel_appointment(appointment=visit, now=NOW)
    with pytest.raises(TooLateToChange):
        move(visit)


def test_move_ends_only_the_links_to_its_visit(evaluation):
    visit, other = book(evaluation), book(evaluation, name="Bob", starts_at=AT_TWO)
    for one in (visit, other):
        visit_path(one, now=NOW)
    move(visit)
    ended = PatientLink.objects.filter(purpose=LinkPurpose.VISIT).values_list("subject_id", "revoked_at")
    assert set(ended) == {(visit.pk, NOW), (other.pk, None)}


def test_calendar_event_after_a_move_has_the_same_uid_and_a_higher_sequence(evaluation):
    visit = book(evaluation)

    def event(kind):
        message = Message.objects.filter(subject_id=visit.pk, kind=kind).last()
        mail = render_message(message, now=NOW)
        calendar = icalendar.Calendar.from_ical(mail.calendar)
        return mail, calendar["method"], calendar.walk("VEVENT")[0]

    _, _, first = event("booking_booked")
    move(visit)
    mail, method, second = event("booking_moved")
    assert "11:00 AM EST" in mail.subject and "9:00 AM" not in mail.subject
    assert (method, second["uid"], second["sequence"]) == ("REQUEST", first["uid"], first["sequence"] + 1)
    assert second["dtstart"].dt == AT_ELEVEN
    assert find_kind("booking_moved").relevance(Message.objects.get(kind="booking_moved"), NOW) is None


def test_staff_can_move_a_visit_despite_rules_but_not_onto_another_visit(evaluation, front_desk):
    nora = make_therapist("Nora", position=1)
    evaluation.therapists.add(nora)
    visit = book(evaluation)
    book(evaluation, therapist=nora, starts_at=AT_TWO, name="Bob")
    at_seven = NINE_ON_TUESDAY - timedelta(hours=2)
    with pytest.raises(SlotNotOffered) as refused:
        move(visit, at_seven, therapist=nora, by=front_desk)
    assert refused.value.reasons == (NotOfferedBecause.HOURS,)
    moved = move(visit, at_seven, therapist=nora, by=front_desk, despite_rules=EVERY_RULE)
    assert (moved.therapist, moved.starts_at) == (nora, at_seven)
    with pytest.raises(SlotTaken):
        move(visit.__class__.objects.get(pk=visit.pk), AT_TWO, by=front_desk, despite_rules=EVERY_RULE)


def test_only_staff_may_break_a_rule(evaluation):
    with pytest.raises(ValueError, match="staff"):
        move(book(evaluation), despite_rules=EVERY_RULE)
    with pytest.raises(ValueError, match="staff"):
        book(evaluation, starts_at=AT_TWO, despite_rules=EVERY_RULE)


# Undoing a cancellation


def test_cancellation_message_is_due_after_three_minutes(evaluation):
    visit = book(evaluation)
    cancel_appointment(appointment=visit, now=NOW)
    message = Message.objects.get(kind="booking_cancelled")
    assert message.due_at == NOW + timedelta(minutes=3)


def test_undoing_a_cancellation_restores_the_visit_and_sends_no_email(evaluation, post_office):
    visit = book(evaluation)
    send_due_messages(clock=lambda: NOW)
    cancel_appointment(appointment=visit, now=NOW)
    again = undo_cancellation(appointment=visit, now=NOW + timedelta(minutes=2))
    assert (again.status, again.version, again.sequence, again.cancelled_at) == ("booked", 3, 2, None)
    assert waiting(visit) == {"booking_reminder_48h": 3, "booking_reminder_2h": 3, "booking_follow_up": 3}
    assert [event.kind for event in visit.events.all()] == ["booked", "cancelled", "restored"]
    assert undo_cancellation(appointment=visit, now=NOW + timedelta(minutes=2)).version == 3
    send_due_messages(clock=lambda: NOW + timedelta(minutes=5))
    assert len(post_office.mails) == 1


def test_undoing_a_cancellation_plans_the_confirmation_that_was_not_sent_yet(evaluation):
    visit = book(evaluation)
    cancel_appointment(appointment=visit, now=NOW)
    undo_cancellation(appointment=visit, now=NOW)
    assert waiting(visit)["booking_booked"] == 3


def test_undoing_is_refused_when_it_is_late_or_the_time_is_taken(evaluation):
    visit = book(evaluation)
    cancel_appointment(appointment=visit, now=NOW)
    with pytest.raises(TooLateToUndo):
        undo_cancellation(appointment=visit, now=NOW + timedelta(minutes=3))
    book(evaluation, name="Bob Faster")
    before = state_of(visit)
    with pytest.raises(SlotTaken):
        undo_cancellation(appointment=visit, now=NOW + timedelta(minutes=1))
    assert state_of(visit) == before


# The pages


@pytest.fixture
def _monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.usefixtures("_monday_morning")
def test_a_visit_is_moved_by_its_link_and_the_old_link_ends(client, evaluation):
    path = visit_path(book(evaluation), now=NOW)
    assert "Move to another time" in client.get(path).content.decode()
    days = client.get(path + "move/").content.decode()
    assert "move/2026-12-01/" in days
    times = client.get(path + "move/2026-12-01/").content.decode()
    target = path + "move/20261201T1600Z/"
    assert target in times
    assert "20261201T1400Z" not in times
    assert Appointment.objects.get().version == 1
    page = client.get(target)
    asked = page.text
    assert "Move your visit?" in asked and 'name="version" value="1"' in asked
    assert "9:00 AM EST" in text_of(page) and "11:00 AM EST" in text_of(page)
    assert Appointment.objects.get().version == 1
    moved = press(client, target)
    assert moved.status_code == 303
    page = client.get(moved["Location"])
    assert page.context["time"].instant == AT_ELEVEN and page.context["can_undo_move"]
    assert "9:00 AM EST" in page.context["move_text"] and "11:00 AM EST" in page.context["move_text"]
    assert client.get(path).status_code == 410
    again = press(client, target)  # a double click
    assert again.status_code == 303
    assert client.get(again["Location"]).status_code == 200
    assert press(client, path + "move/20261201T1900Z/").status_code == 410
    assert Appointment.objects.get().version == 2


def test_link_ended_by_a_move_redirects_to_the_visit_for_one_minute(client, evaluation):
    target = visit_path(book(evaluation), now=NOW) + "move/20261201T1600Z/"
    with time_machine.travel(NOW, tick=False) as clock:
        press(client, target)
        clock.shift(SENT_TWICE_WITHIN)
        assert press(client, target).status_code == 303
        for later in (timedelta(seconds=1), timedelta(minutes=5), timedelta(days=1), timedelta(days=7)):
            clock.shift(later)
            assert press(client, target).status_code == 410
    assert timedelta(minutes=1) == SENT_TWICE_WITHIN
    assert Appointment.objects.get().version == 2


def test_link_ended_by_a_move_by_staff_does_not_redirect(client, evaluation, front_desk):
    visit = book(evaluation)
    path = visit_path(visit, now=NOW)
    with time_machine.travel(NOW, tick=False):
        move(visit, by=front_desk)
        assert press(client, path + "move/20261201T1600Z/").status_code == 410


@pytest.mark.usefixtures("_monday_morning")
def test_refused_move_keeps_the_visit_and_shows_why(client, evaluation, meredith, front_desk):
    visit = book(evaluation)
    path = visit_path(visit, now=NOW)
    book(evaluation, name="Bob", starts_at=AT_ELEVEN)
    taken = press(client, path + "move/20261201T1600Z/")
    assert taken.status_code == 409
    assert taken.context["is_gone"] and "9:00 AM EST" in text_of(taken)
    block_time(therapist=meredith, starts_at=AT_TWO, ends_at=AT_TWO + timedelta(hours=3), by=front_desk)
    assert press(client, path + "move/20261201T1900Z/").status_code == 409
    assert state_of(visit)["starts_at"] == NINE_ON_TUESDAY
    assert client.get(path + "move/?from=x").status_code == 404
    with time_machine.travel(NINE_ON_TUESDAY - timedelta(hours=23), tick=False):
        late = client.get(path + "move/")
        assert late.status_code == 409
        assert "(603) 555-0123" in late.content.decode()
        assert press(client, path + "move/20261202T1400Z/").status_code == 409


def test_the_page_offers_undo_for_three_minutes(client, evaluation):
    visit = book(evaluation)
    path = visit_path(visit, now=NOW)
    with time_machine.travel(NOW, tick=False) as clock:
        press(client, path + "cancel/")
        assert "Undo: keep my visit" in client.get(path).content.decode()
        assert client.get(path + "undo/").status_code == 405
        clock.shift(timedelta(minutes=2))
        assert press(client, path + "undo/").status_code == 303
        assert "You’re booked" in client.get(path).content.decode()
        press(client, path + "cancel/")
        clock.shift(timedelta(minutes=4))
        assert "Undo" not in client.get(path).content.decode()
        late = press(client, path + "undo/")
        assert late.status_code == 409
        assert "too late to undo" in late.content.decode()
    assert state_of(visit)["status"] == "cancelled"


def test_idempotency_key_returns_the_same_visit_after_a_move(evaluation):
    key = uuid.uuid4()
    visit = book(evaluation, idempotency_key=key)
    move(visit)
    assert book(evaluation, idempotency_key=key).starts_at == AT_ELEVEN


def test_visit_can_be_moved_to_another_therapist_of_the_service(client, evaluation, call):
    nora, bob = make_therapist("Nora", position=1), make_therapist("Bob", position=2)
    evaluation.therapists.add(nora)  # Bob does not offer it
    book(evaluation, starts_at=AT_ELEVEN, name="Carol")  # Meredith's 11:00 is taken
    visit = book(evaluation)
    path = visit_path(visit, now=NOW)
    with time_machine.travel(NOW, tick=False):
        own = client.get(path + "move/2026-12-01/").content.decode()
        assert "move/20261201T1600Z/" not in own and 'href="' + path + 'move/2026-12-01/?with=nora"' in own
        assert "Bob" not in own
        anybody = client.get(path + "move/2026-12-01/?with=anybody").content.decode()
        ask = path + "move/20261201T1600Z/?with=anybody"
        assert f'{ask}&amp;to=nora"' in anybody
        assert 'name="to" value="nora"' in client.get(f"{ask}&to=nora").content.decode()
        assert client.get(path + "move/?with=bob").status_code == 404
        assert press(client, path + "move/20261201T1600Z/?with=anybody", {"to": "bob"}).status_code == 409
        assert press(client, path + "move/20261201T1600Z/?with=anybody", {"to": "nobody"}).status_code == 404
        assert press(client, path + "move/20261201T1600Z/?with=anybody", {"to": "nora"}).status_code == 303
    visit.refresh_from_db()
    assert (visit.therapist, visit.starts_at) == (nora, AT_ELEVEN)
    assert bob.appointments.count() == 0


def test_move_page_offers_no_therapist_choice_when_there_is_one_therapist(client, evaluation):
    path = visit_path(book(evaluation), now=NOW)
    with time_machine.travel(NOW, tick=False):
        assert client.get(path + "move/").context["therapist_choices"] == []


def test_undoing_a_cancellation_reopens_only_the_links_that_it_ended(client, evaluation):
    with time_machine.travel(NOW, tick=False) as clock:
        call_command("load_definitions", verbosity=0)
        evaluation.intake_slug = "hip-running-intake"
        visit = book(evaluation)
        ended = intake_path(visit, now=NOW)
        revoke_links(subject_id=visit.intake_id, now=NOW)
        mailed = intake_path(visit, now=NOW)
        clock.shift(timedelta(minutes=1))
        cancel_appointment(appointment=visit, now=timezone.now())
        assert client.get(mailed).status_code == 410
        clock.shift(timedelta(minutes=1))
        undo_cancellation(appointment=visit, now=timezone.now())
        assert client.get(mailed).status_code == 200
        assert client.get(ended).status_code == 410
        cancel_appointment(appointment=visit, now=timezone.now())
        assert client.get(mailed).status_code == 410
