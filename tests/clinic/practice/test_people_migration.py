"""The migration of existing patients to ASCII domains, which is stopped by two rows of one person."""

import uuid

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from booking.models import Appointment, Service
from tests.factories import ClinicFactory
from tests.world import NOON, book, make_therapist

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]
AFTER = [("practice", "0011_people"), ("booking", "0013_people")]


@pytest.fixture
def before():
    """Yield the models as they were before the migration. Afterwards migrate the database to the present."""
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


def test_stored_addresses_become_ascii(before):
    alice, bob = add(before, "Alice", "Alice@Faß.de"), add(before, "Bob", "bob@example.com")
    Suppression = before.get_model("outbox", "Suppression")
    Suppression.objects.create(channel="email", address="alice@faß.de", why="bounced", created_at=NOON)
    Patient = migrate().get_model("practice", "Patient")
    assert Patient.objects.get(pk=alice.pk).email == "Alice@xn--fa-hia.de"
    assert Patient.objects.get(pk=bob.pk).search_text == "bob bob@example.com "
    with connection.cursor() as cursor:
        cursor.execute("SELECT address FROM outbox_suppression")
        assert cursor.fetchall() == [("alice@xn--fa-hia.de",)]


def test_rows_without_an_address_are_the_same_person_only_with_the_same_number(before):
    Patient = before.get_model("practice", "Patient")
    walter, other, twin = (
        Patient.objects.create(id=uuid.uuid4(), name=name, email="", phone=phone, created_at=NOON)
        for name, phone in (("Walter Moore", "+16035550142"), ("Moore, Walter", ""), ("Walter-Moore", "+16035550142"))
    )
    with pytest.raises(RuntimeError) as refusal:
        migrate()
    assert all(str(row.pk) in str(refusal.value) for row in (walter, twin)) and str(other.pk) not in str(refusal.value)
    Patient.objects.filter(pk=twin.pk).update(phone="+16035550143")
    migrate()


def test_extensions_are_removed_when_the_migration_is_undone():
    ClinicFactory(phone="+16035550100;ext=3")
    service = Service.objects.create(slug="evaluation", name="Evaluation", minutes=45, price_cents=0)
    service.therapists.add(make_therapist())
    book(service, phone="+16035550142;ext=12")
    Appointment.objects.update(other_phone="+16035550199;ext=7")
    executor = MigrationExecutor(connection)
    try:
        executor.migrate([("practice", "0010_first_names")])
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT clinic.phone, patient.phone, other_phone "
                "FROM practice_clinic clinic, practice_patient patient, booking_appointment"
            )
            assert cursor.fetchall() == [("+16035550100", "+16035550142", "+16035550199")]
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())


def test_two_rows_of_one_person_are_named_and_nothing_is_changed(before):
    rows = [add(before, name, "zoe@example.com") for name in ("Zoë Müller", "Muller, Zoe")]
    with pytest.raises(RuntimeError) as refusal:
        migrate()
    assert all(str(row.pk) in str(refusal.value) for row in rows)
    Patient = before.get_model("practice", "Patient")
    Patient.objects.filter(pk=rows[1].pk).update(name="Tom Muller")
    migrate()
