"""The migration keeps who acknowledged a flag before follow-ups existed, and since when each flag waits."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.world import NOW

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE = "0009_admin_words"


@pytest.fixture
def before():
    """Yield the models before the migration. Afterwards migrate the database to the present."""
    executor = MigrationExecutor(connection)
    executor.migrate([("assessments", BEFORE)])
    others = [node for node in executor.loader.graph.leaf_nodes() if node[0] != "assessments"]
    yield executor.loader.project_state([*others, ("assessments", BEFORE)]).apps
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def test_earlier_acknowledgments_become_follow_ups(before):
    def create(model, **columns):
        return before.get_model(*model.split(".")).objects.create(**columns)

    charlie = create("practice.User", email="charlie@example.com", name="Charlie Therapist")
    alice = create("practice.Patient", id=uuid.uuid4(), name="Alice", email="alice@example.com", created_at=NOW)
    asked = create(
        "assessments.Questionnaire", id=uuid.uuid4(), slug="a", version=1, title="A", definition={}, created_at=NOW
    )
    response = create(
        "assessments.Response", id=uuid.uuid4(), questionnaire=asked, patient=alice, answers={}, created_at=NOW
    )
    columns = {"response": response, "level": "E", "current_level": "E", "action": "now", "raised_at": NOW}
    seen_at = NOW + timedelta(minutes=9)
    handled = create(
        "assessments.Flag",
        **columns,
        id=uuid.uuid4(),
        rule_key="a",
        rule_id="RF01",
        rule_version=3,
        staff_acknowledged_at=seen_at,
        staff_acknowledged_by=charlie,
    )
    waiting = create("assessments.Flag", **columns, id=uuid.uuid4(), rule_key="b", rule_id="RF02", rule_version=1)

    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    from assessments.models import Flag, FlagFollowUp

    entry = FlagFollowUp.objects.get()
    assert (entry.flag_id, entry.kind, entry.at, entry.by_id) == (handled.pk, "acknowledged", seen_at, charlie.pk)
    assert (entry.raised_at, entry.rule_version, entry.note, entry.settles) == (NOW, 3, None, True)
    minutes = {flag.pk: flag.minutes_to_seen for flag in Flag.objects.with_first_seen()}
    assert minutes == {handled.pk: 9, waiting.pk: None}
