"""Between `migrate` and their restart, processes of the previous release insert rows without the new columns."""

import uuid

import pytest
from django.apps import apps
from django.db import connection, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AddField

from booking.models import Appointment, AppointmentEvent, Service, WaitListEntry
from tests.booking.waiting import wait
from tests.world import NOW, book

pytestmark = pytest.mark.django_db

LAST_OF_BEFORE = {"booking": "0008", "education": "0005", "outbox": "0008", "practice": "0011", "assessments": "0006"}
NEW = {
    Appointment: {
        "off_schedule_accepted": [],
        "price_cents": 0,
        "late_fee_cents": 0,
        "is_first_late_free": True,
        "late_fee_note": "",
        "guardian_name": "",
        "here_at": None,
        "started_at": None,
        "finished_at": None,
        "late_fee": "",
    },
    AppointmentEvent: {"mode": "", "version": None, "therapist_id": None},
    Service: {
        "purpose": "other",
        "late_fee_cents": 0,
        "is_first_late_free": True,
        "late_fee_note": "",
        "offered_modes": ["in_person"],
    },
    WaitListEntry: {"time_zone": ""},
}


def copy_without(row, columns, **changes):
    """Insert a copy of `row` by SQL without `columns`, as the previous release does."""
    table = connection.ops.quote_name(row._meta.db_table)
    kept = [one.column for one in row._meta.concrete_fields if one.column not in columns and not one.generated]
    kept = [name for name in kept if name != "id" or "id" in changes]
    values = ", ".join("%s" if name in changes else connection.ops.quote_name(name) for name in kept)
    names = ", ".join(map(connection.ops.quote_name, kept))
    given = [changes[name] for name in kept if name in changes]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE id = %s RETURNING id", [*given, row.pk]
        )
        return type(row).objects.get(pk=cursor.fetchone()[0])


def test_row_without_the_new_columns_is_accepted(evaluation):
    visit, entry = book(evaluation), wait(evaluation)
    Appointment.objects.filter(pk=visit.pk).update(status="cancelled", cancelled_at=NOW)
    WaitListEntry.objects.filter(pk=entry.pk).update(status="left", ended_at=NOW)
    rows = {
        Appointment: (visit, {"id": uuid.uuid4(), "reference": "RC-OLD001", "idempotency_key": uuid.uuid4()}),
        AppointmentEvent: (visit.events.get(), {}),
        Service: (evaluation, {"id": uuid.uuid4(), "slug": "old"}),
        WaitListEntry: (entry, {"id": uuid.uuid4()}),
    }
    for model, defaults in NEW.items():
        row, changes = rows[model]
        stored = copy_without(row, set(defaults), **changes)
        assert {name: getattr(stored, name) for name in defaults} == defaults, model


def test_added_column_is_null_or_has_a_default_in_the_database():
    """Without a default, the previous release could not insert rows. This checks every later migration."""
    missing = []
    for (app, name), migration in MigrationLoader(None).disk_migrations.items():
        for added in migration.operations:
            if app not in LAST_OF_BEFORE or name[:4] <= LAST_OF_BEFORE[app] or not isinstance(added, AddField):
                continue
            field = apps.get_model(app, added.model_name)._meta.get_field(added.name)
            if not (
                field.null or field.generated or field.has_db_default() or isinstance(field, models.ManyToManyField)
            ):
                missing.append(f"{app}.{name}: {added.model_name}.{added.name}")
    assert missing == []
