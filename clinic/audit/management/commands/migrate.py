from typing import Any

from django.core.management.commands.migrate import Command as DjangoMigrate

from clinic.audit.database.owner import as_owner


class Command(DjangoMigrate):
    """Django's command, with the connection of MIGRATION_DATABASE_URL if that is set."""

    def handle(self, *args: Any, **options: Any) -> None:
        with as_owner():
            super().handle(*args, **options)
