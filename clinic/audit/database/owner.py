"""Connect as the owner of the tables, for migrations and grants."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection


def owner_database() -> dict[str, Any] | None:
    """Return the settings of MIGRATION_DATABASE_URL, or None if it is not set."""
    found: Any = settings.ENV.owner_database
    return found


@contextmanager
def as_owner() -> Iterator[None]:
    """Use the connection of MIGRATION_DATABASE_URL instead of DATABASE_URL. No-op if it is not set."""
    owner = owner_database()
    if owner is None:
        yield
        return
    runtime: dict[str, Any] = dict(connection.settings_dict)
    own_options = {
        name: value for name, value in runtime["OPTIONS"].items() if name not in settings.ENV.database["OPTIONS"]
    }
    connection.close()
    connection.settings_dict.update({**owner, "OPTIONS": {**own_options, **owner["OPTIONS"]}})
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(runtime)
