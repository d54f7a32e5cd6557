"""A database that does not answer: really, on a port where nobody listens."""

from contextlib import contextmanager

from django.db import connection

from clinic.local.ports import free_port


@contextmanager
def database_away():
    """While inside, this thread's connection leads nowhere. Not within a test's own transaction."""
    connection.close()
    was = connection.settings_dict
    connection.settings_dict = {**was, "HOST": "127.0.0.1", "PORT": str(free_port())}
    try:
        yield
    finally:
        connection.settings_dict = was
