"""Planning, withdrawing and claiming: a message is planned once, and one worker at a time holds it."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from clinic.outbox.messages import planning as messages
from clinic.outbox.messages.kinds import KindUnknown, find_kind
from clinic.outbox.messages.planning import (
    MessageNotSettled,
    MessageNotWaiting,
    SentAgainAlready,
    TooLateToSend,
    cancel_message,
    is_resendable,
    plan_message,
    resend_message,
    withdraw_messages,
)
from clinic.outbox.models import Message, State, later_copies
from clinic.outbox.sending.claims import claim_due_messages
from clinic.outbox.text.time_limits import LEASE
from tests.factories import MessageFactory, PatientFactory
from tests.world import NOON

pytestmark = pytest.mark.django_db


def plan(**changes):
    letter = {
        "kind": "letter",
        "subject_id": uuid.UUID(int=1),
        "version": 1,
        "due_at": NOON + timedelta(hours=1),
        "not_after": NOON + timedelta(hours=2),
        "now": NOON,
    }
    return plan_message(**{**letter, "patient": changes.pop("patient", None) or PatientFactory(), **changes})


# Planning


def test_message_is_planned_once_when_planned_twice():
    alice = PatientFactory()
    first, second = plan(patient=alice), plan(patient=alice, due_at=NOON + timedelta(minutes=5))

    assert first == second
    assert second.due_at == NOON + timedelta(hours=1)
    assert plan(patient=alice, version=2) != first


def test_message_is_not_planned_when_its_transaction_fails():
    with transaction.atomic():
        plan()
        transaction.set_rollback(True)

    assert not Message.objects.exists()


def test_worker_is_woken_after_the_commit_when_a_message_is_due_now(monkeypatch, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as later:
        plan()
    assert later == []

    with django_capture_on_commit_callbacks() as at_once:
        plan(due_at=NOON, version=2)
    assert at_once == [messages.wake_sweep]


def test_booking_is_not_delayed_when_the_broker_is_down(caplog):
    from clinic.celery import app

    broker = app.conf.broker_url
    app.conf.broker_url = "redis://127.0.0.1:9/0"
    try:
        messages.wake_sweep()
    finally:
        app.conf.broker_url = broker

    assert "beat will" in caplog.text


@pytest.mark.parametrize(
    ("constraint", "wrong"),
    [
        ("message_is_due_before_it_is_too_late", {"not_after": NOON}),
        ("message_state_is_known", {"state": "lost"}),
        ("message_is_leased_while_sending", {"state": State.SENDING}),
        ("message_is_leased_while_sending", {"lease_until": NOON, "lease_token": uuid.UUID(int=1)}),
        ("message_is_settled_once_it_ends", {"state": State.SENT}),
        ("message_is_settled_once_it_ends", {"settled_at": NOON}),
        ("message_says_why_it_was_not_sent", {"state": State.FAILED, "settled_at": NOON}),
    ],
)
def test_database_refuses_an_inconsistent_message(constraint, wrong):
    with pytest.raises(IntegrityError, match=constraint):
        MessageFactory(**wrong)


def test_message_id_is_the_same_for_every_copy_and_reveals_nothing(settings):
    settings.SITE_URL = "https://clinic.example"
    message = MessageFactory()

    assert message.message_id == Message.objects.get().message_id
    assert message.message_id.endswith("@clinic.example>")
    assert str(message.subject_id) not in message.message_id
    assert message.message_id != MessageFactory().message_id


def test_kind_is_unknown_when_no_app_registered_it():
    with pytest.raises(KindUnknown):
        find_kind("love letter")


# Withdrawing, cancelling, sending again


def test_withdrawing_skips_waiting_messages_and_keeps_sent_ones():
    visit = uuid.uuid4()
    waiting = MessageFactory(subject_id=visit)
    sent = MessageFactory(subject_id=visit, dedupe_key="sent", state=State.SENT, settled_at=NOON)
    other = MessageFactory()

    assert withdraw_messages(subject_id=visit, reason="the visit was cancelled", now=NOON) == 1

    states = {message.pk: (message.state, message.reason) for message in Message.objects.all()}
    assert states == {
        waiting.pk: ("skipped", "the visit was cancelled"),
        sent.pk: ("sent", ""),
        other.pk: ("waiting", ""),
    }


def test_cancelling_is_refused_when_the_message_was_sent():
    message = MessageFactory()
    cancel_message(message, now=NOON)

    with pytest.raises(MessageNotWaiting):
        cancel_message(message, now=NOON)


def test_sending_again_creates_a_new_message_with_its_own_id():
    first = MessageFactory(state=State.SENT, settled_at=NOON)
    second = resend_message(first, now=NOON)
    assert (second.state, second.due_at) == (State.WAITING, NOON)
    cancel_message(second, now=NOON)
    second.refresh_from_db()
    third = resend_message(second, now=NOON)

    assert third.state == State.WAITING
    assert len({first.message_id, second.message_id, third.message_id}) == 3


def test_only_the_newest_copy_can_be_sent_again():
    message = MessageFactory(state=State.FAILED, reason="x", settled_at=NOON)
    copies = [message]
    for _ in range(10):  # the tenth copy is "#11", which sorts before "#2" as text
        copy = resend_message(copies[-1], now=NOON)
        for earlier in copies:
            assert not is_resendable(earlier, now=NOON)
            with pytest.raises(SentAgainAlready):
                resend_message(earlier, now=NOON)
        cancel_message(copy, now=NOON)
        copy.refresh_from_db()
        copies.append(copy)

    assert is_resendable(copies[-1], now=NOON)
    assert Message.objects.count() == 11
    assert list(later_copies(message)) == copies[:0:-1]


def test_sending_again_is_refused_when_it_is_in_progress_or_too_late():
    message = MessageFactory()
    with pytest.raises(MessageNotSettled):
        resend_message(message, now=NOON)

    cancel_message(message, now=NOON)
    message.refresh_from_db()
    with pytest.raises(TooLateToSend):
        resend_message(message, now=message.not_after)


# Claiming


def test_claim_returns_due_messages_oldest_first_up_to_the_limit():
    for minutes in (3, 1, 2, -1):
        MessageFactory(due_at=NOON - timedelta(minutes=minutes))

    claimed = claim_due_messages(now=NOON, limit=2)

    assert [one.message.due_at for one in claimed] == [NOON - timedelta(minutes=3), NOON - timedelta(minutes=2)]
    assert {one.message.state for one in claimed} == {State.SENDING}
    assert len(claim_due_messages(now=NOON)) == 1
    assert claim_due_messages(now=NOON) == []


def test_claim_costs_the_same_queries_for_one_message_and_for_thirty(django_assert_num_queries):
    MessageFactory.create_batch(31)
    for limit in (1, 30):
        with django_assert_num_queries(6):  # savepoint, lock, lease, release, rules, suppressions
            assert all(one.message.patient.name for one in claim_due_messages(now=NOON, limit=limit))


def test_message_is_claimed_again_once_its_lease_has_expired():
    message = MessageFactory()
    claim_due_messages(now=NOON)

    assert claim_due_messages(now=NOON + LEASE - timedelta(seconds=1)) == []
    assert [one.message for one in claim_due_messages(now=NOON + LEASE)] == [message]


@pytest.mark.django_db(transaction=True)
def test_every_message_is_claimed_once_when_eight_connections_claim_together():
    MessageFactory.create_batch(120)

    def claim(_):
        try:
            taken = []
            while batch := claim_due_messages(now=NOON, limit=5):
                taken += [claimed.message.pk for claimed in batch]
            return taken
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        taken = [pk for batch in pool.map(claim, range(8)) for pk in batch]

    assert len(taken) == 120
    assert len(set(taken)) == 120


# Queries of Today and the health page


def test_failed_messages_of_the_week_are_listed_newest_first():
    old, newer, newest = (
        MessageFactory(state=State.FAILED, reason="SMTPDataError 550", settled_at=NOON - timedelta(days=days))
        for days in (8, 2, 1)
    )

    assert list(Message.objects.failed_recently(NOON)) == [newest, newer]
    assert old not in Message.objects.failed_recently(NOON)


def test_failed_message_is_handled_once_a_copy_is_planned():
    failed = MessageFactory(state=State.FAILED, reason="x", settled_at=NOON)
    other = MessageFactory(state=State.FAILED, reason="x", settled_at=NOON)
    copy = resend_message(failed, now=NOON)
    assert list(Message.objects.failed_recently(NOON)) == [other]
    assert dict(Message.objects.with_sent_again_at().values_list("pk", "sent_again_at")) == {
        failed.pk: NOON,
        copy.pk: None,
        other.pk: None,
    }

    Message.objects.filter(pk=copy.pk).update(state=State.FAILED, reason="x", settled_at=NOON)
    assert set(Message.objects.failed_recently(NOON)) == {copy, other}


def test_messages_are_overdue_when_not_attempted_in_time():
    late = MessageFactory(due_at=NOON - timedelta(minutes=10))
    MessageFactory(due_at=NOON - timedelta(minutes=1))
    MessageFactory(due_at=NOON - timedelta(hours=3), next_attempt_at=NOON + timedelta(hours=1))

    assert list(Message.objects.overdue(NOON)) == [late]
    assert Message.objects.oldest_overdue_age(NOON) == timedelta(minutes=10)


def test_nothing_is_overdue_when_nothing_waits():
    assert Message.objects.oldest_overdue_age(NOON) == timedelta(0)
