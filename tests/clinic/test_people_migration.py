"""Patients who were there before: domains are written in ASCII, and two rows of one person stop the migration by name."""

import uuid

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.clinic.factories import NOON

pytestmark = pytest.mark.django_db(transaction=True)
AFTER = [("practice", "0011_people"), ("booking", "0013_people")]


@pytest.fixture
def before():
    """The models as they were; afterwards the database is as it is now."""
    executor = MigrationExecutor(connection)
    parents = [parent for parent in executor.loader.get_migration(*AFTER[0]).dependencies if parent[0] == "practice"]
    executor.migrate(parents)
    applied = list(MigrationExecutor(connection).loader.applied_migrations)
    yield executor.loader.project_state(applied).apps
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def add(apps, name, email):
    Patient = apps.get_model("practice", "Patient")
    return Patient.objects.create(id=uuid.uuid4(), name=name, email=email, created_at=NOON)


def migrate():
    executor = MigrationExecutor(connection)
    executor.migrate(AFTER)
    return executor.loader.project_state(AFTER).apps


def test_addresses_on_file_are_written_in_ascii(before):
    alice, bob = add(before, "Alice", "Alice@Faß.de"), add(before, "Bob", "bob@example.com")
    Suppression = before.get_model("outbox", "Suppression")
    Suppression.objects.create(channel="email", address="alice@faß.de", why="bounced", created_at=NOON)
    Patient = migrate().get_model("practice", "Patient")
    assert Patient.objects.get(pk=alice.pk).email == "Alice@xn--fa-hia.de"
    assert Patient.objects.get(pk=bob.pk).search_text == "bob bob@example.com "
    with connection.cursor() as cursor:
        cursor.execute("SELECT address FROM outbox_suppression")
        assert cursor.fetchall() == [("alice@xn--fa-hia.de",)]


def test_two_rows_of_one_person_are_named_and_nothing_is_changed(before):
    rows = [add(before, name, "zoe@example.com") for name in ("Zoë Müller", "Muller, Zoe")]
    with pytest.raises(RuntimeError) as refusal:
        migrate()
    assert all(str(row.pk) in str(refusal.value) for row in rows)
    Patient = before.get_model("practice", "Patient")
    Patient.objects.filter(pk=rows[1].pk).update(name="Tom Muller")
    migrate()
