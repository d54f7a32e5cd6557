from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError, transaction

from clinic.audit.database.grants import create_role, grant_access
from clinic.audit.database.owner import as_owner, owner_database


class Command(BaseCommand):
    help = (
        "Let the role of DATABASE_URL use the tables of MIGRATION_DATABASE_URL's role, but not change the logs. "
        "Run it after each migrate."
    )
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        owner, runtime = owner_database(), settings.ENV.database
        if owner is None or owner["USER"] == runtime["USER"]:
            self.stdout.write(
                "Nothing is granted: without a MIGRATION_DATABASE_URL of another role, one role owns the tables and runs "
                "the site. It could change the audit log. See deploy/README.md."
            )
            return
        role = runtime["USER"]
        try:
            with as_owner(), transaction.atomic():
                is_new = create_role(role, runtime["PASSWORD"])
                grant_access(role)
        except ProgrammingError as error:
            raise CommandError(
                f"{role} could not be given its rights: {str(error).splitlines()[0]}. "
                "The role of MIGRATION_DATABASE_URL must own the tables, and be allowed to create roles if the other "
                "one does not exist."
            ) from None
        self.stdout.write(f"{role} {'is made, and ' if is_new else ''}may use the tables, and only add to the logs.")
