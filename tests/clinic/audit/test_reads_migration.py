"""The migration of the audit log: the patient of each row moves into the array of patients."""

import uuid

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from clinic.audit.models import AccessEvent
from tests.factories import UserFactory
from tests.world import NOON

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

COLUMNS = "action, object_type, object_id, patient_id, actor_id, at"


@pytest.fixture
def before():
    """Migrate to the columns of the previous release. Afterwards migrate to the present."""
    MigrationExecutor(connection).migrate([("audit", "0005_sign_ins")])
    yield
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    with connection.cursor() as cursor:  # as in conftest.py
        cursor.execute("ALTER TABLE audit_accessevent DISABLE TRIGGER access_event_is_not_truncated")


def migrate():
    MigrationExecutor(connection).migrate([("audit", "0006_reads")])


def insert(patient_id, actor_id=None):
    """Insert a row as processes of the previous release do."""
    with connection.cursor() as cursor:
        values = ["R", "practice.patient", "1", patient_id, actor_id, NOON]
        cursor.execute(f"INSERT INTO audit_accessevent ({COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s)", values)


def test_patient_of_each_row_moves_into_the_array_and_the_log_stays_append_only(before):
    alice, nora = uuid.uuid4(), UserFactory(name="Nora Ellis")
    insert(alice, nora.pk)
    insert(None)
    migrate()
    rows = AccessEvent.objects.order_by("id").values_list("patient_ids", "who", "actor", "roles")
    assert list(rows) == [([alice], "staff", nora.pk, ""), ([], "", None, "")]
    with pytest.raises(IntegrityError, match="only ever added"), transaction.atomic():
        AccessEvent.objects.update(action="U")


def test_row_of_the_previous_release_is_accepted_until_it_is_restarted(before):
    migrate()
    alice = uuid.uuid4()
    insert(alice)
    event = AccessEvent.objects.get()
    assert (event.patient_ids, event.who) == ([alice], "")
    with connection.cursor() as cursor:
        cursor.execute("SELECT patient_id FROM audit_accessevent")
        assert cursor.fetchone() == (None,)


def test_migration_can_be_undone(before):
    alice = uuid.uuid4()
    insert(alice)
    migrate()
    MigrationExecutor(connection).migrate([("audit", "0005_sign_ins")])
    with connection.cursor() as cursor:
        cursor.execute("SELECT patient_id FROM audit_accessevent")
        assert cursor.fetchone() == (alice,)
