"""Failed attempts are retried with growing delays; a message that is given up has a reason."""

from datetime import timedelta

import pytest

from clinic.outbox.models import Message, State
from clinic.outbox.sending.claims import claim_due_messages
from clinic.outbox.sending.hand_over import send_claimed
from clinic.outbox.text.time_limits import LEASE
from tests.clinic import letters
from tests.clinic.letters import fate, sweep, write_as, written
from tests.factories import MessageFactory, PatientFactory
from tests.world import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("letter_kinds")]


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


def test_message_fails_when_no_attempt_is_left_before_its_deadline(post_office):
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
def test_message_fails_at_once_when_the_server_rejects_it_permanently(post_office, refuse, reason):
    refuse(post_office)
    message = MessageFactory()

    sweep()

    assert fate(message) == ("failed", reason)
    assert message.attempts == 1


def test_other_messages_are_sent_when_one_is_rejected(post_office):
    post_office.answer_recipient = lambda address: "550 no such box" if address == "bob@example.com" else None
    bob = MessageFactory(patient=PatientFactory(email="bob@example.com"), due_at=NOON - timedelta(minutes=1))
    MessageFactory.create_batch(3)

    assert sweep() == 3
    assert fate(bob)[0] == "failed"


def test_message_is_retried_when_rendering_fails(post_office, caplog):
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


def test_message_waits_when_its_kind_is_not_registered(post_office):
    message = MessageFactory(kind="love letter")

    sweep()

    assert fate(message) == ("waiting", "KindUnknown")


def test_sweep_stops_at_once_when_the_mail_server_is_down(settings):
    options = {"host": "127.0.0.1", "port": 9, "timeout": 2}
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}}
    MessageFactory.create_batch(25)

    assert sweep() == 0

    assert Message.objects.filter(state=State.WAITING).count() == 25
    assert list(Message.objects.filter(attempts=1).values_list("reason", flat=True)) == ["ConnectionRefusedError"]
    assert Message.objects.filter(first_tried_at=None).count() == 24  # the time limit of the others has not started


def test_sweep_continues_over_a_new_connection_when_the_server_hangs_up(post_office):
    unlucky = MessageFactory(due_at=NOON - timedelta(minutes=1))
    others = MessageFactory.create_batch(2)
    post_office.drops = lambda mail: mail["Message-ID"] == unlucky.message_id

    assert sweep() == 2
    assert {fate(message)[0] for message in others} == {"sent"}
    assert fate(unlucky) == ("waiting", "SMTPServerDisconnected")

    post_office.drops = lambda mail: False
    assert sweep(now=unlucky.next_attempt_at) == 1
    assert sorted(post_office.message_ids()) == sorted(message.message_id for message in [unlucky, *others])


def test_other_messages_are_sent_first_when_a_message_kills_its_worker(post_office):
    deadly = MessageFactory(due_at=NOON - timedelta(minutes=1))
    others = MessageFactory.create_batch(3)

    def kill(message, now):
        raise SystemExit  # the process dies: nothing is recorded

    write_as(kill)
    for deaths in range(2):  # the first attempt is not recorded, the second one is recorded before it is made
        first, *_ = claim_due_messages(now=NOON + deaths * LEASE)
        assert first.message == deadly
        with pytest.raises(SystemExit):
            send_claimed(first, now=NOON + deaths * LEASE)

    *first, last = claim_due_messages(now=NOON + 2 * LEASE)
    assert last.message == deadly
    assert {claimed.message for claimed in first} == set(others)


def test_message_fails_when_every_worker_that_claimed_it_died(post_office):
    message = MessageFactory(not_after=NOON + timedelta(days=2), first_tried_at=NOON - timedelta(hours=5), attempts=9)

    sweep()

    assert fate(message) == ("failed", "tried for too long")
    assert post_office.mails == []
