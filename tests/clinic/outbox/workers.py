"""Helpers for tests that start workers as processes."""

import os
import signal
import time
from urllib.parse import quote, urlencode

from django.db import connection


def database_url():
    """Return the URL of the test database, for DATABASE_URL."""
    database = connection.settings_dict
    credentials = ":".join(quote(part) for part in (database["USER"], database["PASSWORD"]) if part)
    query = {"host": database["HOST"]} | ({"port": database["PORT"]} if database["PORT"] else {})
    return f"postgresql://{credentials}@/{database['NAME']}?{urlencode(query)}"


def kill_group(worker):
    if worker.poll() is None:
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def wait_until(is_so, seconds=60):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
