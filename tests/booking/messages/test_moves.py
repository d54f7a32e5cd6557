"""News of changes: one message with the current state of the visit, compared with the last message that was sent."""

import importlib
import re
from datetime import timedelta

import icalendar
import pytest
import time_machine
from django.apps import apps

from booking.actions.attend import confirm_appointment, mark_arrived
from booking.actions.block_time import block_time
from booking.actions.change import cancel_appointment, move_appointment, undo_cancellation, undo_move
from booking.actions.correct_address import send_to_new_address
from booking.actions.report_absence import note_not_coming
from booking.messages.last_told import CHANGED
from booking.messages.relevance import KNOWN
from booking.models import Appointment, AppointmentEvent, HoursOverride
from booking.models.visit_states import UNDO_FOR
from booking.schedule.errors import SlotTaken, TimeClosed, TooLateToUndo, VisitChanged
from booking.schedule.visit_links import visit_path
from clinic.outbox.messages.kinds import find_kind
from clinic.outbox.models import Message
from clinic.outbox.sending.claims import ClaimedMessage, claim_due_messages
from clinic.outbox.sending.hand_over import send_claimed, send_due_messages
from clinic.outbox.text.time_limits import LEASE
from tests.booking.messages.rendering import when
from tests.booking.visitors import press
from tests.pages import text_of as text_of_page
from tests.world import NINE_ON_TUESDAY, NOW, book, make_therapist

MINUTE = timedelta(minutes=1)
AT_ELEVEN = NINE_ON_TUESDAY + timedelta(hours=2)
AT_TWO = NINE_ON_TUESDAY + timedelta(hours=5)


@pytest.fixture
def visit(evaluation, post_office):
    """Alice's visit on Tuesday at 9:00, whose confirmation was sent."""
    visit = book(evaluation)
    sweep(NOW)
    post_office.mails.clear()
    return visit


@pytest.fixture
def nora(evaluation):
    nora = make_therapist("Nora", position=1)
    evaluation.therapists.add(nora)
    return nora


def sweep(at):
    send_due_messages(clock=lambda: at)


def text_of(mail) -> str:
    return " ".join(mail.get_body(("plain",)).get_content().split())


def reload(visit):
    return Appointment.objects.get(pk=visit.pk)


def test_no_email_is_sent_and_links_are_kept_when_a_visit_is_moved_back(client, visit, post_office):
    mailed = visit_path(visit, now=NOW)
    move_appointment(appointment=visit, starts_at=AT_ELEVEN, now=NOW + MINUTE)
    back = move_appointment(appointment=visit, starts_at=NINE_ON_TUESDAY, now=NOW + 2 * MINUTE)
    sweep(NOW + 10 * MINUTE)
    assert post_office.mails == []
    assert back.sequence == 2
    assert Message.objects.filter(subject_id=visit.pk, kind="booking_reminder_48h", state="waiting").count() == 1
    with time_machine.travel(NOW + 3 * MINUTE, tick=False):
        assert client.get(mailed).status_code == 200


def test_several_moves_send_one_email_from_the_last_sent_time_to_the_current_one(visit, post_office, front_desk):
    move_appointment(appointment=visit, starts_at=AT_ELEVEN, now=NOW + MINUTE)
    move_appointment(appointment=visit, starts_at=AT_TWO, by=front_desk, now=NOW + 2 * MINUTE)
    sweep(NOW + 4 * MINUTE)
    assert post_office.mails == []  # due three minutes after the last move
    sweep(NOW + 5 * MINUTE)
    [mail] = post_office.mails
    assert mail["Subject"] == f"Your visit is moved: {when(AT_TWO)}"
    assert f"Moved from {when(NINE_ON_TUESDAY)} to {when(AT_TWO)}." in text_of(mail)
    assert "11:00" not in text_of(mail)


def test_cancellation_after_a_move_is_one_email_with_the_last_sent_time(visit, post_office):
    move_appointment(appointment=visit, starts_at=AT_ELEVEN, now=NOW + MINUTE)
    cancel_appointment(appointment=visit, now=NOW + 2 * MINUTE)
    sweep(NOW + 10 * MINUTE)
    [mail] = post_office.mails
    assert mail["Subject"] == f"Canceled: your visit on {when(NINE_ON_TUESDAY)}"
    assert when(AT_ELEVEN) in text_of(mail)


def test_move_is_emailed_when_a_cancellation_after_it_is_undone(visit, post_office):
    move_appointment(appointment=visit, starts_at=AT_ELEVEN, now=NOW + MINUTE)
    cancel_appointment(appointment=visit, now=NOW + 2 * MINUTE)
    undo_cancellation(appointment=visit, now=NOW + 3 * MINUTE)
    sweep(NOW + 5 * MINUTE)
    assert post_office.mails == []
    sweep(NOW + 6 * MINUTE)
    assert [mail["Subject"] for mail in post_office.mails] == [f"Your visit is moved: {when(AT_ELEVEN)}"]


def test_second_move_is_emailed_relative_to_the_first_when_that_was_sent(visit, post_office):
    move_appointment(appointment=visit, starts_at=AT_ELEVEN, now=NOW)
    sweep(NOW + 3 * MINUTE)
    move_appointment(appointment=visit, starts_at=NINE_ON_TUESDAY, now=NOW + 10 * MINUTE)
    sweep(NOW + 13 * MINUTE)
    assert f"Moved from {when(AT_ELEVEN)} to {when(NINE_ON_TUESDAY)}." in text_of(post_office.mails[-1])


def test_visit_moved_back_before_its_first_email_is_confirmed_as_booked(evaluation, post_office):
    visit = book(evaluation)
    move_appointment(appointment=visit, starts_at=AT_ELEVEN, now=NOW)
    move_appointment(appointment=visit, starts_at=NINE_ON_TUESDAY, now=NOW)
    sweep(NOW + 5 * MINUTE)
    assert [mail["Subject"] for mail in post_office.mails] == [f"You are booked: {when(NINE_ON_TUESDAY)}"]


def test_move_is_not_emailed_when_an_email_being_sent_has_the_same_time(visit):
    """The email about the first move was being sent while the visit was moved away and back again."""
    move_appointment(appointment=visit, starts_at=AT_ELEVEN, now=NOW)
    Message.objects.filter(kind="booking_moved").update(state="sending", lease_until=NOW, lease_token=visit.pk)
    for starts_at in (AT_TWO, AT_ELEVEN):
        move_appointment(appointment=visit, starts_at=starts_at, now=NOW + MINUTE)
    newest = Message.objects.filter(kind="booking_moved").order_by("version").last()
    assert find_kind("booking_moved").relevance(newest, NOW + 2 * MINUTE) is None
    Message.objects.filter(kind="booking_moved", version=2).update(
        state="sent", settled_at=NOW, lease_until=None, lease_token=None
    )
    assert find_kind("booking_moved").relevance(newest, NOW + 2 * MINUTE) == KNOWN


def claim_news(visit, at) -> ClaimedMessage:
    """Move the visit to 11:00 and claim the email about it, as a worker does before sending."""
    move_appointment(appointment=visit, starts_at=AT_ELEVEN, now=at - UNDO_FOR)
    [claimed] = claim_due_messages(now=at)
    return claimed


def move_back(client, visit, at):
    """Move the visit back, and check that earlier links still do not open, because a new email follows."""
    mailed = visit_path(reload(visit), now=at)
    move_appointment(appointment=reload(visit), starts_at=NINE_ON_TUESDAY, now=at)
    with time_machine.travel(at, tick=False):
        assert client.get(mailed).status_code == 410


def test_move_back_is_emailed_when_the_email_about_the_move_was_being_sent(client, visit, post_office):
    leaving = claim_news(visit, NOW + 5 * MINUTE)
    move_back(client, visit, NOW + 5 * MINUTE)
    Message.objects.filter(pk=leaving.message.pk).update(
        state="sent", settled_at=NOW + 5 * MINUTE, lease_until=None, lease_token=None
    )
    sweep(NOW + 8 * MINUTE)
    [mail] = post_office.mails
    assert f"Moved from {when(AT_ELEVEN)} to {when(NINE_ON_TUESDAY)}." in text_of(mail)


def test_move_back_is_emailed_when_the_worker_died_while_sending_the_move(client, visit, post_office):
    leaving = claim_news(visit, NOW + 5 * MINUTE)
    move_back(client, visit, NOW + 5 * MINUTE)
    sweep(NOW + 5 * MINUTE + LEASE)
    leaving.message.refresh_from_db()
    assert (leaving.message.state, leaving.message.reason) == ("skipped", CHANGED)
    assert [mail["Subject"] for mail in post_office.mails] == [f"Your visit is moved: {when(NINE_ON_TUESDAY)}"]
    move_appointment(appointment=reload(visit), starts_at=AT_TWO, now=NOW + 20 * MINUTE)
    move_appointment(appointment=reload(visit), starts_at=NINE_ON_TUESDAY, now=NOW + 21 * MINUTE)
    sweep(NOW + 30 * MINUTE)
    assert len(post_office.mails) == 1, "what was told since is certain"


def test_move_back_is_not_emailed_when_the_email_about_the_move_was_dropped(client, visit, post_office):
    leaving = claim_news(visit, NOW + 5 * MINUTE)
    move_back(client, visit, NOW + 5 * MINUTE)
    assert send_claimed(leaving, now=NOW + 5 * MINUTE) == "skipped"
    sweep(NOW + 10 * MINUTE)
    assert post_office.mails == []
    assert Message.objects.filter(reason=KNOWN).count() == 1


def test_first_move_back_is_emailed_when_an_email_may_have_been_sent(evaluation, post_office):
    visit = book(evaluation)
    claim_news(visit, NOW + 5 * MINUTE)
    move_appointment(appointment=reload(visit), starts_at=NINE_ON_TUESDAY, now=NOW + 5 * MINUTE)
    sweep(NOW + 6 * MINUTE)
    assert post_office.mails == []  # it would arrive together with the email that is being sent
    sweep(NOW + 5 * MINUTE + LEASE)
    assert [mail["Subject"] for mail in post_office.mails] == [f"Your visit is moved: {when(NINE_ON_TUESDAY)}"]


def test_new_mailbox_gets_a_move_even_back_to_the_first_time(evaluation, post_office):
    visit = book(evaluation)
    sweep(NOW)
    move_appointment(appointment=visit, starts_at=AT_ELEVEN, now=NOW + MINUTE)
    send_to_new_address(visit.patient, NOW + 2 * MINUTE)
    move_appointment(appointment=reload(visit), starts_at=NINE_ON_TUESDAY, now=NOW + 2 * MINUTE)
    sweep(NOW + 10 * MINUTE)
    assert "9:00 AM EST" in post_office.mails[-1]["Subject"]  # no earlier email to this mailbox said 9:00


def test_mail_about_a_change_of_therapist_names_both_therapists(visit, nora, post_office, front_desk):
    move_appointment(appointment=visit, starts_at=NINE_ON_TUESDAY, therapist=nora, by=front_desk, now=NOW)
    sweep(NOW + 3 * MINUTE)
    [mail] = post_office.mails
    assert mail["Subject"].endswith(f"now with Nora: {when(NINE_ON_TUESDAY)}") and "moved" not in mail["Subject"]
    assert f"With {nora} instead of {visit.therapist}." in text_of(mail)
    assert "Moved from" not in text_of(mail) and "new time" not in text_of(mail)
    message = Message.objects.get(kind="booking_moved")
    text = find_kind("booking_moved").text_values(message, NOW)["news"]
    assert text.endswith(f"now with Nora on {when(NINE_ON_TUESDAY)}") and "moved" not in text


def test_email_about_a_change_of_time_and_therapist_shows_both(visit, nora, post_office, front_desk):
    move_appointment(appointment=visit, starts_at=AT_ELEVEN, therapist=nora, by=front_desk, now=NOW)
    sweep(NOW + 3 * MINUTE)
    [mail] = post_office.mails
    assert mail["Subject"].endswith(f"moved, now with Nora: {when(AT_ELEVEN)}")
    assert f"Moved from {when(NINE_ON_TUESDAY)}" in text_of(mail) and "instead of Meredith" in text_of(mail)


def test_calendar_organizer_is_the_sender_of_the_email(visit, clinic, post_office):
    move_appointment(appointment=visit, starts_at=AT_ELEVEN, now=NOW)
    sweep(NOW + 3 * MINUTE)
    [mail] = post_office.mails
    [calendar] = [part for part in mail.walk() if "calendar" in part.get_content_type() or part.is_attachment()]
    event = icalendar.Calendar.from_ical(calendar.get_content()).walk("VEVENT")[0]
    assert event["organizer"] == f"mailto:{mail['From'].addresses[0].addr_spec}"
    assert mail["Reply-To"] == clinic.email != mail["From"].addresses[0].addr_spec  # answers still reach the clinic


# Stale pages


@pytest.mark.parametrize(
    "act",
    [
        lambda visit, **told: move_appointment(appointment=visit, starts_at=AT_TWO, **told),
        lambda visit, **told: cancel_appointment(appointment=visit, **told),
        lambda visit, **told: confirm_appointment(appointment=visit, **told),
        lambda visit, **told: note_not_coming(appointment=visit, **told),
    ],
)
def test_stale_page_changes_nothing(visit, act):
    move_appointment(appointment=visit, starts_at=AT_ELEVEN, now=NOW)
    before = Appointment.objects.filter(pk=visit.pk).values().get()
    with pytest.raises(VisitChanged):
        act(reload(visit), version=1, now=NOW)
    assert Appointment.objects.filter(pk=visit.pk).values().get() == before


def test_double_click_is_not_refused_as_stale(visit):
    move_appointment(appointment=visit, starts_at=AT_ELEVEN, version=1, now=NOW)
    assert move_appointment(appointment=reload(visit), starts_at=AT_ELEVEN, version=1, now=NOW).version == 2
    cancel_appointment(appointment=visit, version=2, now=NOW)
    assert cancel_appointment(appointment=visit, version=2, now=NOW).version == 3
    undo_cancellation(appointment=visit, version=3, now=NOW)
    assert undo_cancellation(appointment=visit, version=3, now=NOW).version == 4


def test_an_undo_from_before_another_cancellation_does_not_undo_it(visit, front_desk):
    cancel_appointment(appointment=visit, now=NOW)
    undo_cancellation(appointment=visit, now=NOW)
    cancel_appointment(appointment=visit, by=front_desk, now=NOW)
    with pytest.raises(VisitChanged):
        undo_cancellation(appointment=visit, version=2, now=NOW)


def test_mark_is_refused_when_the_visit_was_moved_after_the_page_was_loaded(visit, front_desk):
    move_appointment(appointment=visit, starts_at=AT_ELEVEN, now=NOW)
    with pytest.raises(VisitChanged):
        mark_arrived(appointment=visit, version=1, by=front_desk, now=NOW)


# Undoing


def test_undoing_a_move_restores_time_and_therapist_without_an_email(visit, nora, meredith, post_office):
    move_appointment(appointment=visit, starts_at=AT_ELEVEN, therapist=nora, now=NOW + MINUTE)
    back = undo_move(appointment=reload(visit), version=2, now=NOW + 2 * MINUTE)
    assert (back.starts_at, back.therapist, back.version) == (NINE_ON_TUESDAY, meredith, 3)
    sweep(NOW + 10 * MINUTE)
    assert post_office.mails == []


@pytest.mark.parametrize("who", ["late", "staff moved it", "never moved"])
def test_only_a_recent_move_by_the_patient_can_be_undone(visit, front_desk, who):
    if who != "never moved":
        by = front_desk if who == "staff moved it" else None
        move_appointment(appointment=visit, starts_at=AT_ELEVEN, by=by, now=NOW)
    before = Appointment.objects.filter(pk=visit.pk).values().get()
    with pytest.raises(TooLateToUndo):
        undo_move(appointment=reload(visit), now=NOW + (3 if who == "late" else 1) * MINUTE)
    assert Appointment.objects.filter(pk=visit.pk).values().get() == before


def test_a_move_is_not_undone_when_the_old_time_was_taken_or_closed(visit, evaluation, meredith, front_desk):
    with time_machine.travel(NOW, tick=False) as clock:
        move_appointment(appointment=visit, starts_at=AT_ELEVEN, now=NOW)
        clock.shift(MINUTE)
        closure = close_tuesday_morning(meredith, front_desk)
        with pytest.raises(TimeClosed):
            undo_move(appointment=reload(visit), now=NOW + MINUTE)
        closure.delete()
        book(evaluation, name="Bob Faster", now=NOW + MINUTE)
        with pytest.raises(SlotTaken):
            undo_move(appointment=reload(visit), now=NOW + MINUTE)
    assert reload(visit).starts_at == AT_ELEVEN


def close_tuesday_morning(therapist, by, **more) -> HoursOverride:
    end = NINE_ON_TUESDAY + timedelta(hours=1)
    return block_time(therapist=therapist, starts_at=NINE_ON_TUESDAY, ends_at=end, by=by, **more)


@pytest.mark.parametrize("whose", ["the therapist's", "the clinic's"])
def test_a_cancellation_is_not_undone_into_time_closed_meanwhile(visit, meredith, front_desk, whose):
    with time_machine.travel(NOW, tick=False) as clock:
        cancel_appointment(appointment=visit, now=NOW)
        clock.shift(MINUTE)
        close_tuesday_morning(meredith if whose == "the therapist's" else None, front_desk)
        with pytest.raises(TimeClosed):
            undo_cancellation(appointment=visit, now=NOW + MINUTE)
        with pytest.raises(TimeClosed):
            undo_cancellation(appointment=visit, by=front_desk, now=NOW + MINUTE)
        with pytest.raises(ValueError, match="staff"):
            undo_cancellation(appointment=visit, despite_closure=True, now=NOW + MINUTE)
        again = undo_cancellation(appointment=visit, despite_closure=True, by=front_desk, now=NOW + MINUTE)
    assert again.status == "booked"


def test_cancellation_is_undone_when_the_time_was_blocked_before_or_for_another(visit, nora, meredith, front_desk):
    with time_machine.travel(NOW, tick=False) as clock:
        close_tuesday_morning(meredith, front_desk, despite_visits=True)  # the visit was in that time
        clock.shift(MINUTE)
        cancel_appointment(appointment=visit, now=NOW + MINUTE)
        clock.shift(MINUTE)
        close_tuesday_morning(nora, front_desk)
        assert undo_cancellation(appointment=visit, now=NOW + 2 * MINUTE).status == "booked"


# The pages


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.mark.parametrize(
    ("page", "target", "asked", "way_on"),
    [
        ("cancel/", "cancel/", {}, "cancel/"),
        ("not-coming/", "cancel/", {}, "cancel/"),
        ("move/20261201T1900Z/", "move/20261201T1900Z/", {"to": "meredith"}, "move/"),
        ("", "confirm/", {}, "coming/"),
        ("coming/", "coming/", {}, "coming/"),
    ],
)
def test_stale_form_changes_nothing_and_shows_the_current_visit(client, visit, clock, page, target, asked, way_on):
    path = visit_path(visit, now=NOW)
    assert 'name="version" value="1"' in client.get(path + page).content.decode()
    cancel_appointment(appointment=visit, now=NOW)
    undo_cancellation(appointment=visit, now=NOW)
    before = Appointment.objects.filter(pk=visit.pk).values().get()
    for version in ("", "1", "garbage", "9" * 30):
        stale = client.post(path + target, asked | {"version": version})
        assert stale.status_code == 409
        assert stale.templates[0].name == "booking/changed_meanwhile.html" and f'href="{path}{way_on}"' in stale.text
        assert stale.context["time"].instant == NINE_ON_TUESDAY and str(stale.context["time"]) in text_of_page(stale)
    assert Appointment.objects.filter(pk=visit.pk).values().get() == before
    assert client.post(path + target, asked | {"version": "3"}).status_code in (200, 303)


def test_stale_not_coming_form_does_not_notify_the_clinic(client, visit):
    path = visit_path(visit, now=NOW)
    late = NINE_ON_TUESDAY - timedelta(hours=2)
    with time_machine.travel(late, tick=False):
        assert 'name="version" value="1"' in client.get(path + "not-coming/").content.decode()
        Appointment.objects.filter(pk=visit.pk).update(version=2)
        stale = client.post(path + "not-coming/", {"version": "1"})
        assert stale.status_code == 409 and stale.templates[0].name == "booking/changed_meanwhile.html"
        assert not Message.objects.filter(kind="staff_not_coming").exists()
        client.post(path + "not-coming/", {"version": "2"})
        assert Message.objects.filter(kind="staff_not_coming").exists()


def test_stale_page_says_that_staff_cancelled_the_visit(client, visit, clock, front_desk):
    path = visit_path(visit, now=NOW)
    cancel_appointment(appointment=visit, by=front_desk, now=NOW)
    stale = client.post(path + "move/20261201T1900Z/", {"version": "1"})
    assert stale.status_code == 409
    assert "This visit is canceled" in stale.content.decode()


def test_page_after_a_move_shows_both_times_and_can_undo_it(client, visit, nora, clock, post_office):
    path = visit_path(visit, now=NOW)
    ask = client.get(path + "move/20261201T1600Z/?with=nora&to=nora").content.decode()
    assert "Move your visit?" in ask and "with Nora, PT, DPT" in ask
    moved = client.post(path + "move/20261201T1600Z/?with=nora", {"to": "nora", "version": "1"})
    path = moved["Location"]
    page = client.get(path).content.decode()
    assert f" from {when(NINE_ON_TUESDAY)} with {visit.therapist} to {when(AT_ELEVEN)} with {nora}." in page
    undone = client.post(path + "undo/", {"what": "move", "version": "2"})
    assert undone.status_code == 303
    assert "9:00 AM EST with Nora" not in client.get(undone["Location"]).content.decode()
    assert (reload(visit).starts_at, reload(visit).therapist) == (NINE_ON_TUESDAY, visit.therapist)
    clock.shift(3 * MINUTE)
    page = client.get(undone["Location"]).content.decode()
    assert "You’re booked" in page and "Undo" not in page
    sweep(NOW + 10 * MINUTE)
    assert post_office.mails == []


def page_text(client, path) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", client.get(path).text).split())


def mail_status(client, path) -> str:
    """Return the text of the page about the email to Alice."""
    status = page_text(client, path).partition("Your confirmation")[2]
    assert "alice@example.com" in status
    return status


def test_page_after_an_undone_move_offers_no_second_undo(client, visit, clock):
    path = client.post(visit_path(visit, now=NOW) + "move/20261201T1600Z/", {"version": "1"})["Location"]
    clock.shift(MINUTE)
    path = client.post(path + "undo/", {"what": "move", "version": "2"})["Location"]
    page = page_text(client, path)
    assert client.get(path).context["is_move_undone"] and when(NINE_ON_TUESDAY) in page
    assert "You’re booked" in page
    for untrue in ("Your visit is moved", "Undo: move it back", "email you the new time", "Moved from", "the new time"):
        assert untrue not in page


def test_page_shows_whether_the_email_was_sent(client, evaluation, post_office, clock):
    path = visit_path(book(evaluation, is_known=False), now=NOW)
    assert "We are sending" in mail_status(client, path)
    sweep(NOW)
    assert "We sent" in mail_status(client, path)
    path = client.post(path + "move/20261201T1600Z/", {"version": "1"})["Location"]
    status = mail_status(client, path)
    assert "email the new time" in status and f"{UNDO_FOR // MINUTE} minutes" in status
    assert "will lead back" in status and "We sent" not in status
    clock.shift(4 * MINUTE)
    assert "a few minutes" in mail_status(client, path)
    sweep(NOW + 4 * MINUTE)
    assert "We sent" in mail_status(client, path)


def test_page_after_an_undone_cancellation_says_that_the_visit_is_booked(client, visit, clock):
    path = visit_path(visit, now=NOW)
    client.post(path + "cancel/", {"version": "1"})
    client.post(path + "undo/", {"version": "2"})
    assert client.get(path).context["is_restored"]


def test_undo_page_explains_the_refusal_when_the_time_was_blocked(client, visit, meredith, front_desk, clock):
    path = visit_path(visit, now=NOW)
    press(client, path + "cancel/")
    clock.shift(MINUTE)
    close_tuesday_morning(meredith, front_desk)
    refused = client.post(path + "undo/", {"version": "2"})
    assert refused.status_code == 409
    assert refused.context["why_not_undone"] == "closed"
    text = refused.content.decode()
    assert "Book another time" in text and "Undo" not in text


def test_refused_undo_of_a_move_is_explained_on_the_page(client, visit, evaluation, clock):
    path = client.post(visit_path(visit, now=NOW) + "move/20261201T1600Z/", {"version": "1"})["Location"]
    book(evaluation, name="Bob Faster")
    refused = client.post(path + "undo/", {"what": "move", "version": "2"})
    assert refused.status_code == 409
    assert refused.context["why_not_undone"] == "taken"
    clock.shift(4 * MINUTE)
    late = client.post(path + "undo/", {"what": "move", "version": "2"})
    assert "too late to undo" in late.content.decode()


def test_move_page_of_a_taken_time_offers_other_times(client, visit, evaluation, clock):
    book(evaluation, name="Bob Faster", starts_at=AT_ELEVEN)
    gone = client.get(visit_path(visit, now=NOW) + "move/20261201T1600Z/")
    assert gone.status_code == 409
    assert "move/20261201T1900Z/" in gone.content.decode()


# Visits from before changes were recorded with their terms


def test_move_of_a_visit_without_recorded_terms_omits_the_former_time(visit, nora, post_office, front_desk):
    AppointmentEvent.objects.update(version=None, therapist=None, mode="")
    move_appointment(appointment=visit, starts_at=AT_ELEVEN, by=front_desk, now=NOW)
    sweep(NOW + 3 * MINUTE)
    assert "Moved from" not in text_of(post_office.mails[-1])  # the former time is unknown, so it is omitted
    assert post_office.mails[-1]["Subject"].startswith("Your visit is moved: ")


def test_the_migration_describes_the_newest_event_of_each_visit(visit, evaluation, post_office, front_desk):
    moved = move_appointment(appointment=book(evaluation, name="Bob", starts_at=AT_TWO), starts_at=AT_ELEVEN, now=NOW)
    AppointmentEvent.objects.update(version=None, therapist=None, mode="")
    importlib.import_module("booking.migrations.0011_moves").describe_newest_events(apps, None)
    rows = AppointmentEvent.objects.order_by("appointment__starts_at", "id").values_list("kind", "version", "mode")
    assert list(rows) == [("booked", 1, "in_person"), ("booked", None, ""), ("moved", 2, "in_person")]
    assert moved.events.last().therapist == moved.therapist
    move_appointment(appointment=visit, starts_at=AT_TWO, by=front_desk, now=NOW)
    sweep(NOW + 3 * MINUTE)
    alices = [mail for mail in post_office.mails if "alice@" in mail["To"]]  # the emails of a sweep have no order
    assert f"Moved from {when(NINE_ON_TUESDAY)}" in text_of(alices[-1])
