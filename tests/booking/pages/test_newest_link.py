"""After a move has ended a link, its page can email the newest link, but only to the address on file."""

from datetime import timedelta

import pytest
import time_machine

from booking.actions.change import cancel_appointment, move_appointment
from booking.actions.correct_address import MOST_COPIES, correct_address
from booking.models import Appointment
from booking.models.visit_states import UNDO_FOR
from booking.schedule.visit_links import visit_path
from clinic.outbox.models import Message
from clinic.outbox.sending.hand_over import send_due_messages
from clinic.practice.models import PatientLink, Proof
from tests.pages import text_of
from tests.world import NINE_ON_TUESDAY, NOW, book

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LATER = NOW + UNDO_FOR + MINUTE


@pytest.fixture
def visit(evaluation, post_office):
    visit = book(evaluation)
    send_due_messages(clock=lambda: NOW)
    return visit


@pytest.fixture
def ended(visit, post_office):
    """Return the path of an emailed link that a move has ended. The email about the move was sent."""
    path = visit_path(visit, proof=Proof.MAILED, now=NOW)
    move_appointment(appointment=visit, starts_at=NINE_ON_TUESDAY + HOUR, now=NOW)
    send_due_messages(clock=lambda: LATER)
    post_office.mails.clear()
    return path


def ask(client, path, at=LATER):
    with time_machine.travel(at, tick=False):
        answer = client.post(f"{path}newest-link/")
        send_due_messages(clock=lambda: at)
    return answer


def test_page_of_a_link_that_a_move_ended_offers_the_newest_one(client, ended):
    with time_machine.travel(LATER, tick=False):
        page = client.post(f"{ended}cancel/", {"version": 1})
    assert page.status_code == 410
    assert "your visit was moved" in text_of(page)
    assert f'action="{ended}newest-link/"' in page.text
    assert "10:00" not in page.text  # only the reader of the mailbox may see the new time


def test_newest_link_is_emailed_to_the_address_on_file(client, ended, post_office):
    page = ask(client, ended)
    assert page.status_code == 200
    assert "alice" not in page.text.lower() and "10:00" not in page.text
    [mail] = post_office.mails
    assert mail["To"] == "alice@example.com"
    path = mail.get_body(("plain",)).get_content().split("/visits/")[1].split()[0]
    assert "Tuesday, December 1, 10:00 AM EST" in text_of(client.get(f"/visits/{path}"))


def test_answer_is_the_same_when_nothing_is_sent(client, ended, post_office):
    first = text_of(ask(client, ended))
    for _ in range(MOST_COPIES + 2):
        assert text_of(ask(client, ended)) == first
    assert len(post_office.mails) == MOST_COPIES
    cancel_appointment(appointment=Appointment.objects.get(), now=LATER)
    sent = Message.objects.count()
    assert text_of(ask(client, ended)) == first
    assert Message.objects.count() == sent


def test_link_in_a_wrong_mailbox_sends_no_mail(client, evaluation, post_office):
    visit = book(evaluation, is_known=False)
    send_due_messages(clock=lambda: NOW)
    wrong = visit_path(visit, proof=Proof.MAILED, now=NOW)
    correct_address(appointment=visit, email="alice@example.org", now=NOW)
    send_due_messages(clock=lambda: NOW)
    post_office.mails.clear()
    assert ask(client, wrong).status_code == 200
    assert post_office.mails == []


def test_valid_link_redirects_to_the_visit(client, visit):
    path = visit_path(visit, proof=Proof.MAILED, now=NOW)
    assert ask(client, path)["Location"] == path


def test_expired_link_offers_no_newest_link(client, visit, post_office):
    path = visit_path(visit, proof=Proof.MAILED, now=NOW)
    over = PatientLink.objects.latest("created_at").expires_at
    post_office.mails.clear()
    with time_machine.travel(over, tick=False):
        page = client.get(path)
    assert page.status_code == 410 and "newest-link" not in page.text
    ask(client, path, at=over)
    assert [mail for mail in post_office.mails if "You are booked" in mail["Subject"]] == []


def test_unknown_link_offers_no_newest_link(client, clinic):
    assert client.post(f"/visits/{'x' * 43}/newest-link/").status_code == 404
