"""An unreachable database: the connection leads to a closed port."""

from contextlib import contextmanager

from django.db import connection

from clinic.local.processes.ports import free_port


@contextmanager
def database_away():
    """Break this thread's database connection inside the block. The test must not run in a transaction."""
    connection.close()
    was = connection.settings_dict
    connection.settings_dict = {**was, "HOST": "127.0.0.1", "PORT": str(free_port())}
    try:
        yield
    finally:
        connection.settings_dict = was
