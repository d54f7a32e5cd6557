"""`python -m clinic.local.prepare`: migrate, grant access and load the demo in one process, since starting Django is slow."""

import io
import os
import sys

import django
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from clinic.audit.database.owner import as_owner


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    django.setup()
    with as_owner():
        executor = MigrationExecutor(connection)
        has_plan = bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if has_plan:
        call_command("migrate", interactive=False, verbosity=0)
    call_command("grant_access", stdout=io.StringIO())
    call_command("load_demo", verbosity=0)


if __name__ == "__main__":
    try:
        main()
    except (CommandError, OperationalError) as error:
        sys.exit(str(error).strip())
