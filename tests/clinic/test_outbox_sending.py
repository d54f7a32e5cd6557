"""Handing over, through a real SMTP server: once, looked at again, written down, tried again, given up."""

import smtplib
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import time, timedelta

import pytest
from django.conf import settings
from django.db import connection

from clinic.logs import QuietFormatter
from clinic.outbox import sending
from clinic.outbox.kinds import Email, MessageKind, register_kind
from clinic.outbox.messages import LEASE, claim_due_messages
from clinic.outbox.models import Message, State
from clinic.outbox.sending import send_claimed, send_due_messages
from tests.clinic import letters
from tests.clinic.factories import NOON, ClinicFactory, MessageFactory, PatientFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("letter_kinds")]


def sweep(now=NOON):
    return send_due_messages(clock=lambda: now)


def fate(message):
    message.refresh_from_db()
    return message.state, message.reason


def written(caplog):
    """What the site's own log would hold."""
    formatter = QuietFormatter(settings.LOGGING["formatters"]["line"]["format"])
    return "\n".join(formatter.format(record) for record in caplog.records)


def write_as(render):
    register_kind(MessageKind("letter", render, letters.why_unwanted, respects_quiet_hours=False))


# The mail


def test_mail_goes_to_the_patient_from_the_clinic_in_text_and_html(post_office):
    ClinicFactory()
    message = MessageFactory(patient__email="alice@example.com")

    assert sweep() == 1

    (mail,) = post_office.mails
    assert fate(message) == ("sent", "")
    assert message.sent_at == NOON
    assert mail["To"] == "alice@example.com"
    assert mail["Message-ID"] == message.message_id
    assert mail["Date"].datetime == NOON
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Reply-To"] == "hello@lakeside.example"
    assert mail.get_body(["plain"]).get_content().strip() == f"Message {message.pk}."
    assert mail.get_body(["html"]).get_content().strip() == f"<p>Message {message.pk}.</p>"


@pytest.mark.parametrize("method", ["REQUEST", "CANCEL"])
def test_calendar_goes_in_as_an_alternative_and_as_a_file(post_office, method):
    ics = f"BEGIN:VCALENDAR\r\nMETHOD:{method}\r\nSUMMARY:Café\r\nEND:VCALENDAR\r\n".encode()
    write_as(
        lambda message, now: Email(to="alice@example.com", subject="Visit", text="-", html="<p>-</p>", calendar=ics)
    )
    MessageFactory()

    sweep()

    (mail,) = post_office.mails
    alternatives, attached = mail.iter_parts()
    calendar = list(alternatives.iter_parts())[-1]
    assert alternatives.get_content_type() == "multipart/alternative"
    assert (calendar.get_content_type(), calendar["Content-Type"].params["method"]) == ("text/calendar", method)
    assert (attached.get_content_type(), attached.get_filename()) == ("application/ics", "visit.ics")
    assert attached.get_content() == ics


@pytest.mark.parametrize(
    "subject", ["Visit\r\nBcc: mallory@example.com", "Visit\nBcc: mallory@example.com", "Visit\r Bcc: x"]
)
def test_subject_stays_a_subject_when_it_carries_line_breaks(post_office, subject):
    write_as(lambda message, now: Email(to="alice@example.com", subject=subject, text="-", html=""))
    MessageFactory()

    assert sweep() == 1

    (mail,) = post_office.mails
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("Visit Bcc:")


@pytest.mark.parametrize(
    "address", ["a@example.com\r\nBcc: m@example.com", "a@example.com, m@example.com", "not an address", ""]
)
def test_message_fails_without_the_address_in_its_reason_when_no_mail_can_go_there(post_office, address, caplog):
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


# Looking again


def test_message_is_skipped_when_it_is_no_longer_wanted(post_office):
    message = MessageFactory()
    letters.UNWANTED.add(message.pk)

    assert sweep() == 0
    assert fate(message) == ("skipped", "the visit was cancelled")
    assert post_office.mails == []


def test_message_is_skipped_when_the_visit_is_cancelled_while_the_server_keeps_us_waiting(post_office, monkeypatch):
    message = MessageFactory()
    connect = smtplib.SMTP.connect

    def cancel_meanwhile(*args, **kwargs):
        letters.UNWANTED.add(message.pk)
        return connect(*args, **kwargs)

    monkeypatch.setattr(smtplib.SMTP, "connect", cancel_meanwhile)

    assert sweep() == 0
    assert fate(message) == ("skipped", "the visit was cancelled")


def test_message_is_skipped_when_it_comes_too_late(post_office):
    message = MessageFactory()

    assert sweep(now=message.not_after) == 0
    assert fate(message) == ("skipped", "too late")


def test_message_waits_for_the_morning_when_it_comes_due_in_the_readers_night(post_office):
    ClinicFactory()
    night = NOON + timedelta(hours=10)  # 10 pm in New York, 7 pm in Los Angeles
    reminder = {"kind": "reminder letter", "due_at": night, "not_after": night + timedelta(hours=20)}
    eastern = MessageFactory(**reminder)
    western = MessageFactory(**reminder, patient__time_zone="America/Los_Angeles")
    confirmation = MessageFactory(due_at=night, not_after=night + timedelta(hours=20))

    assert sweep(now=night) == 2

    assert fate(western)[0] == fate(confirmation)[0] == "sent"
    assert fate(eastern) == ("waiting", "quiet hours")
    assert eastern.next_attempt_at == NOON + timedelta(hours=20)  # 8 am
    assert Message.objects.oldest_overdue_age(night) == timedelta(0)
    assert sweep(now=eastern.next_attempt_at) == 1


def test_message_is_skipped_when_the_night_lasts_until_it_is_too_late(post_office):
    ClinicFactory(quiet_from=time(11), quiet_until=time(19))
    message = MessageFactory(kind="reminder letter")

    sweep()

    assert fate(message) == ("skipped", "quiet hours until it is too late")


# Trying again


def test_message_waits_longer_each_time_and_fails_after_four_hours(post_office):
    post_office.answer_data = lambda mail: "451 try later"
    message = MessageFactory(not_after=NOON + timedelta(days=2))
    now, pauses = NOON, []
    while fate(message)[0] == "waiting":
        sweep(now)
        message.refresh_from_db()
        pauses.append(message.next_attempt_at - now)
        now = message.next_attempt_at
    pauses.pop()

    assert fate(message) == ("failed", "SMTPDataError 451")
    assert timedelta(hours=3, minutes=30) < message.settled_at - NOON < timedelta(hours=4)
    assert timedelta(seconds=20) < pauses[0] < timedelta(seconds=40)
    assert max(pauses) <= timedelta(minutes=24)
    assert 10 < len(pauses) < 25


def test_message_fails_when_no_try_is_left_before_it_is_too_late(post_office):
    post_office.answer_data = lambda mail: "451 try later"
    message = MessageFactory(not_after=NOON + timedelta(seconds=20))

    sweep()

    assert fate(message) == ("failed", "SMTPDataError 451")


@pytest.mark.parametrize(
    ("refuse", "reason"),
    [
        (lambda office: setattr(office, "answer_recipient", lambda a: "550 no such box"), "SMTPRecipientsRefused 550"),
        (lambda office: setattr(office, "answer_data", lambda mail: "554 not that"), "SMTPDataError 554"),
    ],
)
def test_message_fails_at_once_when_the_server_refuses_it_for_good(post_office, refuse, reason):
    refuse(post_office)
    message = MessageFactory()

    sweep()

    assert fate(message) == ("failed", reason)
    assert message.attempts == 1


def test_others_go_when_one_is_refused(post_office):
    post_office.answer_recipient = lambda address: "550 no such box" if address == "bob@example.com" else None
    bob = MessageFactory(patient=PatientFactory(email="bob@example.com"), due_at=NOON - timedelta(minutes=1))
    MessageFactory.create_batch(3)

    assert sweep() == 3
    assert fate(bob)[0] == "failed"


def test_message_is_tried_again_when_its_words_cannot_be_made_yet(post_office, caplog):
    def stumble(message, now):
        raise KeyError(message.patient.email)

    write_as(stumble)
    message = MessageFactory(patient__email="alice@example.com")

    assert sweep() == 0
    assert fate(message) == ("waiting", "KeyError")
    assert "KeyError" in written(caplog)
    assert "in stumble" in written(caplog)
    assert "alice" not in written(caplog)

    letters.register_letters()
    assert sweep(now=message.next_attempt_at) == 1


def test_message_waits_when_no_app_knows_its_kind_yet(post_office):
    message = MessageFactory(kind="love letter")

    sweep()

    assert fate(message) == ("waiting", "KindUnknown")


def test_sweep_stops_at_once_when_the_mail_server_is_away(settings):
    options = {"host": "127.0.0.1", "port": 9, "timeout": 2}
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}}
    MessageFactory.create_batch(25)

    assert sweep() == 0

    assert Message.objects.filter(state=State.WAITING).count() == 25
    assert list(Message.objects.filter(attempts=1).values_list("reason", flat=True)) == ["ConnectionRefusedError"]


def test_sweep_goes_on_over_a_new_connection_when_the_server_hangs_up_on_one(post_office):
    unlucky = MessageFactory(due_at=NOON - timedelta(minutes=1))
    others = MessageFactory.create_batch(2)
    post_office.drops = lambda mail: mail["Message-ID"] == unlucky.message_id

    assert sweep() == 2
    assert {fate(message)[0] for message in others} == {"sent"}
    assert fate(unlucky) == ("waiting", "SMTPServerDisconnected")

    post_office.drops = lambda mail: False
    assert sweep(now=unlucky.next_attempt_at) == 1
    assert sorted(post_office.message_ids()) == sorted(message.message_id for message in [unlucky, *others])


def test_message_is_given_up_when_every_worker_that_took_it_died(post_office):
    message = MessageFactory(not_after=NOON + timedelta(days=2), first_tried_at=NOON - timedelta(hours=5), attempts=9)

    sweep()

    assert fate(message) == ("failed", "tried for too long")
    assert post_office.mails == []


# Several workers, and databases that go away


@pytest.mark.django_db(transaction=True)
def test_every_message_goes_once_when_eight_workers_sweep_at_once(post_office):
    messages = MessageFactory.create_batch(60)

    def sweep_and_hang_up(_):
        try:
            return sweep()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(sweep_and_hang_up, range(8))) == 60

    assert sorted(post_office.message_ids()) == sorted(message.message_id for message in messages)
    assert Message.objects.filter(state=State.SENT).count() == 60


def test_nothing_is_sent_when_the_lease_was_lost(post_office):
    MessageFactory()
    (slow,) = claim_due_messages(now=NOON)
    (quick,) = claim_due_messages(now=NOON + LEASE)

    assert send_claimed(slow, now=NOON + LEASE) is None
    assert send_claimed(quick, now=NOON + LEASE) == State.SENT
    assert len(post_office.mails) == 1


def test_nothing_is_sent_when_it_is_unwanted_and_the_lease_is_lost_at_that_moment(post_office):
    message = MessageFactory()

    def lose_the_lease(message, now):
        Message.objects.filter(pk=message.pk).update(lease_token=uuid.uuid4())
        return "the visit was cancelled"

    register_kind(MessageKind("letter", letters.write_letter, lose_the_lease, respects_quiet_hours=False))

    assert sweep() == 0
    assert fate(message)[0] == "sending"
    assert post_office.mails == []


def test_sent_stays_sent_when_another_worker_claimed_it_in_the_meantime(post_office):
    """A server so slow that the lease ran out: what went is written down, and the second worker sends nothing."""
    message = MessageFactory()
    (slow,) = claim_due_messages(now=NOON)
    taken_over = []
    send = sending._write_down_sent

    def claimed_by_another(message, now):
        taken_over.extend(claim_due_messages(now=NOON + 2 * LEASE))
        return send(message, now=now)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sending, "_write_down_sent", claimed_by_another)
        assert send_claimed(slow, now=NOON) == State.SENT

    assert send_claimed(taken_over[0], now=NOON + 2 * LEASE) is None
    assert fate(message)[0] == "sent"
    assert len(post_office.mails) == 1


def backend_id():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def cut_the_wire(pid):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 2000)", [pid])
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_message_goes_once_when_the_database_drops_us_before_we_can_say_so(post_office):
    message = MessageFactory()
    before = backend_id()

    def cut_while_taking(mail):
        cutting = threading.Thread(target=cut_the_wire, args=[before])  # a thread has a connection of its own
        cutting.start()
        cutting.join()

    post_office.answer_data = cut_while_taking

    assert sweep() == 1
    assert backend_id() != before
    assert fate(message)[0] == "sent"
    assert len(post_office.mails) == 1
