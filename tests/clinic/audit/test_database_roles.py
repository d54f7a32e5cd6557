"""The role that runs the site can do its work, and cannot change the logs, on a real Postgres."""

from dataclasses import replace
from itertools import product

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction
from django.urls import reverse
from psycopg import sql

from assessments.intake.responses import first_open_page
from booking.schedule.visit_links import visit_path
from clinic.audit.access import record_access
from clinic.audit.database.faults import check_record, find_record_faults
from clinic.audit.database.grants import LOGS, create_role, grant_access
from clinic.audit.database.owner import as_owner
from clinic.audit.models import AccessEvent, SignInEvent
from clinic.audit.sign_ins import record_sign_in
from clinic.cleanup import EXPIRING, delete_expired_rows
from clinic.outbox.models import Message, State
from clinic.outbox.sending.claims import claim_due_messages
from clinic.outbox.sending.hand_over import send_claimed
from clinic.practice.models import RateLimit
from tests.world import NOW, book

pytestmark = pytest.mark.django_db(transaction=True)

ROLE = "site_of_the_tests"
TABLES = [log._meta.db_table for log in LOGS]
TRIGGERS = {"audit_accessevent": "access_event_is_append_only", "audit_signinevent": "sign_in_event_is_append_only"}


@pytest.fixture(autouse=True)
def guarded(transactional_db):
    """Let the tests meet the triggers against TRUNCATE, which conftest.py switches off."""
    for state in ("ENABLE", "DISABLE"):
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE audit_accessevent {state} TRIGGER access_event_is_not_truncated")
            cursor.execute(f"ALTER TABLE audit_signinevent {state} TRIGGER sign_in_event_is_not_truncated")
        if state == "ENABLE":
            yield


@pytest.fixture
def owner_role():
    return connection.settings_dict["USER"]


@pytest.fixture
def site_role(owner_role):
    """Yield the name of a role with the rights of a site, and drop it afterwards."""
    create_role(ROLE, "")
    grant_access(ROLE)
    yield ROLE
    with connection.cursor() as cursor:
        cursor.execute(f"DROP OWNED BY {ROLE}")
        cursor.execute(f"DROP ROLE {ROLE}")


@pytest.fixture
def as_site(site_role, owner_role):
    """Return a function that connects as the site's role. The owner's connection is back at the end."""

    def switch(role=site_role):
        connection.close()
        connection.settings_dict["USER"] = role

    yield switch
    switch(owner_role)


def run(statement, *arguments):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, arguments)


@pytest.fixture
def logged(alice, charlie):
    record_access(actor=charlie, action="R", subject=alice, patient_id=alice.pk, now=NOW)
    record_sign_in(user=charlie, kind="signed-in", request=None, now=NOW)


FORBIDDEN = (
    "UPDATE {table} SET at = now()",
    "DELETE FROM {table}",
    "TRUNCATE {table}",
    "ALTER TABLE {table} DISABLE TRIGGER {trigger}",
    "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "DROP TRIGGER {trigger} ON {table}",
    "DROP TABLE {table}",
    "ALTER TABLE {table} OWNER TO {role}",
    "ALTER TABLE {table} ADD COLUMN more text",
    "SET session_replication_role = replica",
    "CREATE TABLE copy AS SELECT * FROM {table}",
    "CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "DROP FUNCTION audit_refuse_change() CASCADE",
    "CREATE RULE forget AS ON INSERT TO {table} DO INSTEAD NOTHING",
    "SET ROLE {owner}",
)


def was_refused(statement) -> bool:
    try:
        run(statement)
    except ProgrammingError as error:
        return "permission denied" in str(error) or "must be owner" in str(error)
    return False


def test_site_cannot_change_a_log(as_site, owner_role, logged):
    before = list(AccessEvent.objects.values()), list(SignInEvent.objects.values())
    as_site()
    done = []
    for table, statement in product(TABLES, FORBIDDEN):
        names = {"table": table, "trigger": TRIGGERS[table], "role": ROLE, "owner": owner_role}
        named = sql.SQL(statement).format(**{name: sql.Identifier(value) for name, value in names.items()}).as_string()
        done += [] if was_refused(named) else [named]
    assert done == []
    run(f"GRANT UPDATE, DELETE ON audit_accessevent TO {ROLE}")  # only a warning: Postgres grants nothing
    assert find_record_faults() == []
    assert (list(AccessEvent.objects.values()), list(SignInEvent.objects.values())) == before


def test_site_adds_to_the_logs_and_reads_them(as_site, alice, charlie):
    as_site()
    record_access(actor=charlie, action="R", subject=alice, patient_id=alice.pk, now=NOW)
    record_sign_in(user=charlie, kind="signed-in", request=None, now=NOW)
    assert (AccessEvent.objects.count(), SignInEvent.objects.count()) == (1, 1)


def test_site_does_its_work(as_site, client, charlie, evaluation, post_office):
    call_command("load_definitions", verbosity=0)
    evaluation.intake_slug = "hip-running-intake"
    evaluation.save()
    as_site()
    with time_machine.travel(NOW, tick=False):
        visit = book(evaluation)
        assert client.get(visit_path(visit, now=NOW)).status_code == 200
        assert first_open_page(visit.intake) is not None
        for message in claim_due_messages(now=NOW):
            send_claimed(message, now=NOW)
        assert Message.objects.filter(state=State.SENT).exists() and post_office.mails
        client.force_login(charlie)
        page = reverse("admin:practice_patient_change", args=[visit.patient_id])
        typed = {"name": "Alice Moore", "email": visit.patient.email, "phone": "", "time_zone": ""}
        assert [client.get(page).status_code, client.post(page, typed).status_code] == [200, 302]
    assert AccessEvent.objects.filter(patient_ids__contains=[visit.patient_id], actor=charlie).count() == 2


def test_site_deletes_expired_rows(as_site):
    RateLimit.objects.create(key="0" * 32, whole_at=NOW)
    as_site()
    done = delete_expired_rows(clock=lambda: NOW)
    assert (done.unfinished, done.deleted["rate limits"], set(done.deleted)) == ([], 1, set(EXPIRING))


def test_site_uses_a_table_that_a_later_migration_adds(as_site, owner_role):
    run("CREATE TABLE later (id bigint GENERATED BY DEFAULT AS IDENTITY, note text)")
    try:
        as_site()
        run("INSERT INTO later (note) VALUES ('kept')")
        run("UPDATE later SET note = 'changed'")
        run("DELETE FROM later")
        with pytest.raises(ProgrammingError, match="must be owner"):
            run("DROP TABLE later")
    finally:
        as_site(owner_role)
        run("DROP TABLE later")


# The check of a deployment


def test_check_is_silent_when_the_site_cannot_change_its_logs(as_site):
    as_site()
    assert check_record(None) == []


def test_check_names_each_right_that_is_too_much(as_site, site_role):
    run(f"GRANT UPDATE, TRUNCATE ON audit_accessevent TO {site_role}")
    run(f"GRANT CREATE ON SCHEMA public TO {site_role}")
    as_site()
    rights, names = zip(*(fault.rsplit(" ", 1) for fault in find_record_faults()), strict=True)
    assert rights == ("may create", "may change rows of", "may empty")
    assert names == ("tables", "audit_accessevent", "audit_accessevent")


def test_check_warns_when_one_role_owns_the_tables_and_runs_the_site():
    [warning] = check_record(None)
    assert warning.id == "audit.W001"
    assert "owns audit_accessevent" in warning.msg and "MIGRATION_DATABASE_URL" in warning.hint


def test_check_warns_when_a_trigger_is_off(as_site, owner_role):
    run("ALTER TABLE audit_signinevent DISABLE TRIGGER sign_in_event_is_append_only")
    try:
        as_site()
        assert [fault.split(",")[0] for fault in find_record_faults()] == ["could change audit_signinevent"]
    finally:
        as_site(owner_role)
        run("ALTER TABLE audit_signinevent ENABLE TRIGGER sign_in_event_is_append_only")


# The commands


@pytest.fixture
def two_roles(settings, owner_role):
    """Set DATABASE_URL to a new role, and MIGRATION_DATABASE_URL to the owner of the tests' database."""
    at = {name: connection.settings_dict[name] for name in ("NAME", "PASSWORD", "HOST", "PORT")}
    owner = {**at, "USER": owner_role, "OPTIONS": {}}
    settings.ENV = replace(settings.ENV, database={**owner, "USER": ROLE, "PASSWORD": "hush"}, owner_database=owner)
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"DROP OWNED BY {ROLE}")
        cursor.execute(f"DROP ROLE {ROLE}")


def test_command_makes_the_role_and_grants_again_without_harm(two_roles, as_owner_of_tests, capsys):
    for _ in range(2):
        call_command("grant_access")
    connection.settings_dict["USER"] = ROLE
    connection.close()
    assert find_record_faults() == []
    assert "hush" not in capsys.readouterr().out


@pytest.fixture
def as_owner_of_tests(owner_role):
    yield
    connection.close()
    connection.settings_dict["USER"] = owner_role


def test_migrate_connects_as_the_owner_and_returns_to_the_sites_role(two_roles, as_owner_of_tests):
    call_command("grant_access")
    connection.close()
    connection.settings_dict["USER"] = ROLE
    call_command("migrate", verbosity=0)
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone()[0] != ROLE
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone()[0] == ROLE


def test_command_refuses_when_the_owner_may_not_grant(settings, site_role, owner_role):
    at = {name: connection.settings_dict[name] for name in ("NAME", "PASSWORD", "HOST", "PORT")}
    poor = {**at, "USER": site_role, "OPTIONS": {}}
    settings.ENV = replace(settings.ENV, database={**poor, "USER": "somebody_else"}, owner_database=poor)
    with pytest.raises(CommandError, match="somebody_else"):
        call_command("grant_access")


def test_command_grants_nothing_without_a_second_role(settings, capsys):
    settings.ENV = replace(settings.ENV, owner_database=None)
    call_command("grant_access")
    assert "Nothing is granted" in capsys.readouterr().out
