"""Sending through a real SMTP server: checked again, sent once by any number of workers, and recorded."""

import smtplib
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.outbox.models import Message, State
from clinic.outbox.sending import hand_over as sending
from clinic.outbox.sending.claims import BATCH, claim_due_messages
from clinic.outbox.sending.hand_over import send_claimed
from clinic.outbox.text.time_limits import LEASE
from tests.clinic import letters
from tests.clinic.letters import fate, sweep
from tests.factories import ClinicFactory, MessageFactory
from tests.world import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("letter_kinds")]


# The check before sending


def test_message_is_skipped_when_it_is_no_longer_relevant(post_office):
    message = MessageFactory()
    letters.UNWANTED.add(message.pk)

    assert sweep() == 0
    assert fate(message) == ("skipped", "the visit was cancelled")
    assert post_office.mails == []


def test_message_is_skipped_when_the_visit_is_cancelled_while_the_mail_server_is_slow(post_office, monkeypatch):
    message = MessageFactory()
    connect = smtplib.SMTP.connect

    def cancel_meanwhile(*args, **kwargs):
        letters.UNWANTED.add(message.pk)
        return connect(*args, **kwargs)

    monkeypatch.setattr(smtplib.SMTP, "connect", cancel_meanwhile)

    assert sweep() == 0
    assert fate(message) == ("skipped", "the visit was cancelled")


def test_message_is_skipped_when_it_is_too_late(post_office):
    message = MessageFactory()

    assert sweep(now=message.not_after) == 0
    assert fate(message) == ("skipped", "too late")


def test_message_waits_for_the_morning_when_it_is_due_in_the_readers_night(post_office):
    ClinicFactory()
    night = NOON + timedelta(hours=10)  # 10 PM in New York, 7 PM in Los Angeles
    reminder = {"kind": "reminder letter", "due_at": night, "not_after": night + timedelta(hours=20)}
    eastern = MessageFactory(**reminder)
    western = MessageFactory(**reminder, time_zone="America/Los_Angeles")
    confirmation = MessageFactory(due_at=night, not_after=night + timedelta(hours=20))

    assert sweep(now=night) == 2

    assert fate(western)[0] == fate(confirmation)[0] == "sent"
    assert fate(eastern) == ("waiting", "quiet hours")
    assert eastern.next_attempt_at == NOON + timedelta(hours=20)  # 8 AM
    assert Message.objects.oldest_overdue_age(night) == timedelta(0)
    assert sweep(now=eastern.next_attempt_at) == 1


@pytest.mark.parametrize("time_zone", ["", "Mars/Phobos", "America/New_York"])
def test_quiet_hours_use_the_clinics_zone_when_the_message_has_none_or_an_unknown_one(post_office, time_zone):
    ClinicFactory()
    night = NOON + timedelta(hours=10)
    reminder = {"kind": "reminder letter", "due_at": night, "not_after": night + timedelta(hours=20)}
    message = MessageFactory(**reminder, time_zone=time_zone, patient__time_zone="Pacific/Auckland")

    sweep(now=night)

    assert fate(message) == ("waiting", "quiet hours")
    assert message.next_attempt_at == NOON + timedelta(hours=20)


def test_reminder_is_sent_at_night_when_the_morning_is_too_late(post_office):
    ClinicFactory(quiet_from=time(11), quiet_until=time(19))
    letters.register_letter("reminder letter", respects_quiet_hours=True, is_reminder=True)
    message = MessageFactory(kind="reminder letter")

    assert sweep() == 1
    assert fate(message) == ("sent", "")


def test_message_other_than_a_reminder_is_skipped_when_the_morning_is_too_late(post_office):
    ClinicFactory(quiet_from=time(11), quiet_until=time(19))
    message = MessageFactory(kind="reminder letter")

    sweep()

    state, reason = fate(message)
    assert state == "skipped" and reason.startswith("quiet hours until")


def test_sending_costs_one_write_per_message(post_office):
    def count(messages):
        MessageFactory.create_batch(messages)
        with CaptureQueriesContext(connection) as queries:
            assert sweep() == messages
        return len(queries)

    assert count(BATCH - 1) - count(1) == BATCH - 2


# Several workers, and lost database connections


@pytest.mark.django_db(transaction=True)
def test_every_message_is_sent_once_when_eight_workers_sweep_at_once(post_office):
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


def test_nothing_is_sent_when_the_lease_is_lost_during_the_relevance_check(post_office):
    message = MessageFactory()

    def lose_the_lease(message, now):
        Message.objects.filter(pk=message.pk).update(lease_token=uuid.uuid4())
        return "the visit was cancelled"

    letters.register_letter(relevance=lose_the_lease)

    assert sweep() == 0
    assert fate(message)[0] == "sending"
    assert post_office.mails == []


def test_message_is_recorded_as_sent_when_another_worker_claimed_it_meanwhile(post_office):
    """The lease expires while the server is slow. The result is recorded, and the second worker sends nothing."""
    message = MessageFactory()
    (slow,) = claim_due_messages(now=NOON)
    taken_over = []
    send = sending._record_sent

    def claimed_by_another(message, now):
        taken_over.extend(claim_due_messages(now=NOON + 2 * LEASE))
        return send(message, now=now)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sending, "_record_sent", claimed_by_another)
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
def test_message_is_sent_once_when_the_database_connection_drops_before_it_is_recorded(post_office):
    message = MessageFactory()
    before = backend_id()

    def cut_while_taking(mail):
        cutting = threading.Thread(target=cut_the_wire, args=[before])  # a thread has its own connection
        cutting.start()
        cutting.join()

    post_office.answer_data = cut_while_taking

    assert sweep() == 1
    assert backend_id() != before
    assert fate(message)[0] == "sent"
    assert len(post_office.mails) == 1
