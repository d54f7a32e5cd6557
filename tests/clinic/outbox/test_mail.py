"""The email that is sent: from the clinic to one recipient, whatever its text contains."""

import smtplib

import pytest

from clinic.outbox.messages.kinds import Email
from tests.clinic.letters import fate, sweep, write_as, written
from tests.factories import ClinicFactory, MessageFactory
from tests.world import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("letter_kinds")]


def test_email_goes_to_the_patient_from_the_clinic_in_text_and_html(post_office):
    ClinicFactory()
    message = MessageFactory(patient__email="alice@example.com")

    assert sweep() == 1

    (mail,) = post_office.mails
    assert fate(message) == ("sent", "")
    assert message.settled_at == NOON
    assert mail["To"] == "alice@example.com"
    assert mail["Message-ID"] == message.message_id
    assert mail["Date"].datetime == NOON
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Reply-To"] == "hello@clinic.example"
    assert mail.get_body(["plain"]).get_content().strip() == f"Message {message.pk}."
    assert mail.get_body(["html"]).get_content().strip() == f"<p>Message {message.pk}.</p>"


@pytest.mark.parametrize("method", ["REQUEST", "CANCEL"])
def test_calendar_part_is_added_once_as_the_last_alternative(post_office, method):
    ics = f"BEGIN:VCALENDAR\r\nMETHOD:{method}\r\nSUMMARY:Café\r\nEND:VCALENDAR\r\n".encode()
    write_as(
        lambda message, now: Email(to="alice@example.com", subject="Visit", text="-", html="<p>-</p>", calendar=ics)
    )
    MessageFactory()

    sweep()

    (mail,) = post_office.mails
    assert mail.get_content_type() == "multipart/alternative"
    calendar = list(mail.iter_parts())[-1]
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html", "text/calendar"]
    assert (calendar.get_content_type(), calendar["Content-Type"].params["method"]) == ("text/calendar", method)
    assert calendar["Content-Type"].params["charset"] == "utf-8"
    assert calendar.get_content().splitlines() == ics.decode().splitlines()


@pytest.mark.parametrize(
    "subject", ["Visit\r\nBcc: mallory@example.com", "Visit\nBcc: mallory@example.com", "Visit\r Bcc: x"]
)
def test_line_breaks_in_a_subject_add_no_header(post_office, subject):
    write_as(lambda message, now: Email(to="alice@example.com", subject=subject, text="-", html=""))
    MessageFactory()

    assert sweep() == 1

    (mail,) = post_office.mails
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("Visit Bcc:")


@pytest.mark.parametrize(
    "address", ["a@example.com\r\nBcc: m@example.com", "a@example.com, m@example.com", "not an address", ""]
)
def test_message_fails_without_the_address_in_its_reason_when_the_address_is_unusable(post_office, address, caplog):
    write_as(lambda message, now: Email(to=address, subject="Visit", text="-", html=""))
    message = MessageFactory()

    assert sweep() == 0

    assert fate(message) == ("failed", "ValueError")
    assert post_office.mails == []
    assert "example.com" not in written(caplog)


def test_one_connection_serves_a_batch(post_office, monkeypatch):
    opened = []
    connect = smtplib.SMTP.connect
    monkeypatch.setattr(smtplib.SMTP, "connect", lambda *args, **kwargs: opened.append(1) or connect(*args, **kwargs))
    MessageFactory.create_batch(8)

    assert sweep() == 8
    assert len(opened) == 1
