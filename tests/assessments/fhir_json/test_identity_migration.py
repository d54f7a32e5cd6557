"""The migration separates questionnaires that were merged because their urls end alike."""

import uuid

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.world import NOW

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE, AFTER = "0003_answered_versions_stay", "0005_canonical_identity"


@pytest.fixture
def before():
    """Yield the models before the migration. Afterwards migrate the database to the present."""
    executor = MigrationExecutor(connection)
    executor.migrate([("assessments", BEFORE)])
    yield executor.loader.project_state([("assessments", BEFORE), ("practice", "0007_proof")]).apps
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def add(apps, slug, version, url):
    definition = {"resourceType": "Questionnaire"} | ({"url": url} if url else {})
    Questionnaire = apps.get_model("assessments", "Questionnaire")
    row = Questionnaire.objects.create(
        id=uuid.uuid4(), slug=slug, version=version, title="T", definition=definition, created_at=NOW
    )
    return row.pk


def test_merged_questionnaires_are_separated_and_the_first_keeps_the_name(before):
    ours = add(before, "hip-running-intake", 1, "urn:runclinic:questionnaire:hip-running-intake")
    stranger = add(before, "hip-running-intake", 2, "https://a.example/hip-running-intake")
    again = add(before, "hip-running-intake", 3, "https://a.example/hip-running-intake|2")
    nameless = add(before, "hip-running-intake", 4, "")
    taken = add(before, "hip-running-intake-2", 1, "https://c.example/x")
    Patient, Response = before.get_model("practice", "Patient"), before.get_model("assessments", "Response")
    alice = Patient.objects.create(id=uuid.uuid4(), name="Alice", email="alice@example.com", created_at=NOW)
    Response.objects.create(id=uuid.uuid4(), questionnaire_id=stranger, patient=alice, answers={}, created_at=NOW)

    executor = MigrationExecutor(connection)
    executor.migrate([("assessments", AFTER)])
    Questionnaire = executor.loader.project_state([("assessments", AFTER)]).apps.get_model(
        "assessments", "Questionnaire"
    )
    found = {row.pk: (row.slug, row.version, row.canonical) for row in Questionnaire.objects.all()}
    assert found == {
        ours: ("hip-running-intake", 1, "urn:runclinic:questionnaire:hip-running-intake"),
        stranger: ("hip-running-intake-3", 2, "https://a.example/hip-running-intake"),
        again: ("hip-running-intake-3", 3, "https://a.example/hip-running-intake"),
        nameless: ("hip-running-intake-4", 4, "urn:runclinic:local:hip-running-intake-4"),
        taken: ("hip-running-intake-2", 1, "https://c.example/x"),
    }
