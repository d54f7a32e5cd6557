"""The audit log is append-only."""

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from clinic.audit.access import record_access
from clinic.audit.models import AccessEvent, Action
from tests.factories import PatientFactory, UserFactory
from tests.world import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def event():
    alice = PatientFactory()
    return record_access(actor=UserFactory(), action=Action.READ, subject=alice, patient_id=alice.pk, now=NOON)


def test_event_records_actor_action_and_row(event):
    event.refresh_from_db()

    assert (event.actor.name, event.action, event.object_type) == ("Frank Desk", "R", "practice.patient")
    assert [event.object_id] == [str(one) for one in event.patient_ids]
    assert event.at == NOON


def test_event_is_refused_when_the_action_is_unknown():
    alice = PatientFactory()
    with pytest.raises(ValueError, match="X"):
        record_access(actor=None, action="X", subject=alice, patient_id=alice.pk, now=NOON)


def test_event_cannot_be_changed(event):
    with pytest.raises(IntegrityError, match="only ever added"), transaction.atomic():
        AccessEvent.objects.filter(pk=event.pk).update(action="U")
    with pytest.raises(IntegrityError, match="only ever added"), transaction.atomic():
        event.save()


def test_event_cannot_be_deleted(event):
    with pytest.raises(IntegrityError, match="only ever added"), transaction.atomic():
        AccessEvent.objects.all().delete()
    assert AccessEvent.objects.count() == 1


def test_actor_cannot_be_deleted_while_the_audit_log_names_them(event):
    with pytest.raises(IntegrityError):
        event.actor.delete()


def test_rotation_command_processes_every_encrypted_field(capsys):
    call_command("rotate_encryption_keys")

    assert "assessments.Response.answers: 0 encrypted again" in capsys.readouterr().out
