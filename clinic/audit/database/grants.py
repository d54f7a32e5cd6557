"""What the role that runs the site may do: everything with rows of ordinary tables, only read and add rows of the logs.

It may not change the logs, empty them, switch off their triggers, or change any table. All statements are idempotent,
and cover tables of later migrations.
"""

from typing import LiteralString

from django.db import connection
from psycopg import sql

from clinic.audit.models import AccessEvent, SignInEvent

LOGS = (AccessEvent, SignInEvent)
READ_ONLY = ("django_migrations",)

# {role} runs the site; the current role owns the tables.
GRANTS: tuple[LiteralString, ...] = (
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    "REVOKE ALL ON SCHEMA public FROM {role}",
    "GRANT USAGE ON SCHEMA public TO {role}",
    "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}",
)


def grant_access(role: str) -> None:
    """Give `role` what it needs and nothing else, in one transaction. The connection must be the owner's.

    Raises ProgrammingError if the current role does not own the tables.
    """
    limits = [
        (table, "REVOKE ALL ON {table} FROM {role}", "GRANT SELECT, INSERT ON {table} TO {role}")
        for table in log_tables()
    ]
    limits += [(table, "REVOKE ALL ON {table} FROM {role}", "GRANT SELECT ON {table} TO {role}") for table in READ_ONLY]
    with connection.cursor() as cursor:
        for statement in GRANTS:
            cursor.execute(sql.SQL(statement).format(role=sql.Identifier(role)).as_string())
        for table, *statements in limits:
            for statement in statements:
                names = {"role": sql.Identifier(role), "table": sql.Identifier(table)}
                cursor.execute(sql.SQL(statement).format(**names).as_string())


def create_role(role: str, password: str) -> bool:
    """Create `role` if it does not exist. Returns whether it was created.

    The server gets the password hashed, so that its log cannot have it. Raises ProgrammingError if the current role may
    not create roles.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone():
            return False
        statement = sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role))
        if password:
            hashed = connection.connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
            statement += sql.SQL(" PASSWORD {}").format(sql.Literal(hashed.decode()))
        cursor.execute(statement.as_string())
    return True


def log_tables() -> list[str]:
    """Return the names of the tables that are only ever added to."""
    return [log._meta.db_table for log in LOGS]
