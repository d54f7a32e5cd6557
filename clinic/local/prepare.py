"""`python -m clinic.local.prepare`: migrate and load the demo in one process, since starting Django is slow."""

import os
import sys

import django
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    django.setup()
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)
    call_command("load_demo", verbosity=0)


if __name__ == "__main__":
    try:
        main()
    except (CommandError, OperationalError) as error:
        sys.exit(str(error).strip())
