"""A stopped worker or beat shows on /health/ and Today within two minutes, and no longer once it runs again."""

import uuid
from datetime import timedelta

import pytest
import time_machine

from clinic.outbox.models import State
from clinic.outbox.sending.heartbeat import note_start
from clinic.outbox.text.time_limits import LEASE
from tests.clinic.letters import sweep
from tests.factories import ClinicFactory, MessageFactory, PatientFactory, UserFactory
from tests.world import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("letter_kinds")]


def look(client, at):
    with time_machine.travel(at, tick=False):
        return client.get("/health/"), client.get("/admin/")


@pytest.fixture
def staff(client):
    ClinicFactory()
    with time_machine.travel(NOON, tick=False):
        client.force_login(UserFactory(is_superuser=True))
    return client


def test_dead_beat_or_worker_shows_two_minutes_after_the_first_message_was_due(staff, post_office):
    MessageFactory()
    health, today = look(staff, NOON + timedelta(seconds=119))
    assert health.status_code == 200
    health, today = look(staff, NOON + timedelta(seconds=121))
    assert health.status_code == 503
    assert health.json()["oldest_overdue_s"] == 121
    assert "Alice Runner" in today.content.decode() and "late" in today.content.decode()

    sweep(now=NOON + timedelta(seconds=122))
    health, today = look(staff, NOON + timedelta(seconds=123))
    assert health.status_code == 200
    assert not today.context.get("overdue_messages")


def test_dead_beat_or_worker_shows_two_minutes_after_its_last_sweep_when_nothing_is_due(staff):
    sweep(now=NOON)
    health, today = look(staff, NOON + timedelta(seconds=119))
    assert (health.status_code, health.json()["last_sweep_s"]) == (200, 119)
    assert today.context.get("nothing_sent_since") is None
    health, today = look(staff, NOON + timedelta(seconds=121))
    assert health.status_code == 503
    assert today.context.get("nothing_sent_since") == NOON

    sweep(now=NOON + timedelta(seconds=122))
    assert look(staff, NOON + timedelta(seconds=123))[0].status_code == 200


def test_worker_that_never_ran_shows_two_minutes_after_the_first_start(staff):
    note_start(now=NOON)
    health, today = look(staff, NOON + timedelta(seconds=119))
    assert health.status_code == 200 and today.context.get("nothing_sent_since") is None
    health, today = look(staff, NOON + timedelta(seconds=121))
    assert health.status_code == 503 and today.context.get("nothing_sent_since") == NOON


def test_worker_that_died_while_sending_shows_two_minutes_after_the_message_was_due(staff):
    """No other worker may claim it before its lease expires; monitoring must not wait for that."""
    MessageFactory(state=State.SENDING, lease_until=NOON + LEASE, lease_token=uuid.uuid4())
    assert look(staff, NOON + timedelta(seconds=119))[0].status_code == 200
    health, today = look(staff, NOON + timedelta(seconds=121))
    assert health.status_code == 503
    assert "Alice Runner" in today.content.decode() and "late" in today.content.decode()


def test_message_list_shows_all_messages_or_those_of_one_patient(staff):
    alice, bob = PatientFactory(name="Alice Runner"), PatientFactory(name="Bob Hill")
    MessageFactory(patient=alice)
    MessageFactory(patient=bob)
    with time_machine.travel(NOON, tick=False):
        everyone = staff.get("/admin/outbox/message/").content.decode()
        of_bob = staff.get(f"/admin/outbox/message/?patient__id__exact={bob.pk}").content.decode()
    assert "Alice Runner" in everyone and "Bob Hill" in everyone
    assert "Bob Hill" in of_bob and "Alice Runner" not in of_bob
