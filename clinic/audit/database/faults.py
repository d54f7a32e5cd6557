"""Find out whether the role that runs the site could change the logs. For `manage.py check --deploy`."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Warning
from django.db import Error, connection

from clinic.audit.database.grants import log_tables

HINT = (
    "Let DATABASE_URL name a role of its own and MIGRATION_DATABASE_URL the owner of the tables, "
    "then run `manage.py migrate` and `manage.py grant_access`. See deploy/README.md."
)

# Each returns one row, whose column is true if it is a fault.
OF_ROLE = {
    "is a superuser": "SELECT rolsuper FROM pg_roles WHERE rolname = current_user",
    "may create roles": "SELECT rolcreaterole FROM pg_roles WHERE rolname = current_user",
    "may create tables": "SELECT has_schema_privilege('public', 'CREATE')",
    "may switch off triggers for its session": "SELECT has_parameter_privilege('session_replication_role', 'SET')",
}
OF_TABLE = {
    "owns": "SELECT pg_has_role(relowner, 'MEMBER') FROM pg_class WHERE oid = %s::regclass",
    "may change rows of": "SELECT has_any_column_privilege(%s, 'UPDATE')",
    "may delete rows of": "SELECT has_table_privilege(%s, 'DELETE')",
    "may empty": "SELECT has_table_privilege(%s, 'TRUNCATE')",
    "may add triggers to": "SELECT has_table_privilege(%s, 'TRIGGER')",
}
GUARDS = (
    "SELECT count(*) FROM pg_trigger WHERE tgrelid = %s::regclass AND tgenabled IN ('O', 'A') AND tgfoid = %s::regproc"
)


def find_record_faults() -> list[str]:
    """Return why the role of this connection could change a log, each as a clause. Empty before the first migration."""
    with connection.cursor() as cursor:

        def ask(query: str, *arguments: str) -> Any:
            cursor.execute(query, arguments)
            return cursor.fetchone()[0]

        tables = [table for table in log_tables() if ask("SELECT to_regclass(%s)", table)]
        if not tables:
            return []
        faults = [f"{name}" for name, query in OF_ROLE.items() if ask(query)]
        for table in tables:
            faults += [f"{name} {table}" for name, query in OF_TABLE.items() if ask(query, table)]
            if ask(GUARDS, table, "audit_refuse_change") < 2:
                faults.append(f"could change {table}, whose triggers are missing or off")
    return faults


def check_record(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """Warn if the site could change its logs. No message if the database does not respond."""
    try:
        faults = find_record_faults()
    except Error:
        return []
    if not faults:
        return []
    return [Warning(f"The role of DATABASE_URL {'; '.join(faults)}.", hint=HINT, id="audit.W001")]
