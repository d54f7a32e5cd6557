"""Web, worker and beat, started for real: none of them runs without the keys, and all wait for the database."""

import base64
import os
import secrets
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection

from clinic.local.folder import ROOT
from clinic.local.ports import free_port
from clinic.outbox.models import Sweep
from tests.clinic.test_keys import answer_something
from tests.clinic.test_outbox_killed_worker import database_url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

CELERY = ["-m", "celery", "-A", "clinic"]
GUNICORN = ["-m", "gunicorn", "clinic.wsgi", "--workers", "2", "--worker-class", "gthread", "--no-control-socket"]
STARTS = {
    "web": GUNICORN,
    "web, loaded before its workers": [*GUNICORN, "--preload"],
    "worker": [*CELERY, "worker", "--concurrency", "1", "--without-mingle"],
    "beat": [*CELERY, "beat", "--pidfile=", "--schedule=/dev/null"],
}


def key(key_id: str) -> str:
    return f"{key_id}:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}"


def start(words, *, url: str | None = None, **environ):
    words = [*words, "--bind", f"127.0.0.1:{free_port()}"] if "gunicorn" in words else words
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url or database_url(), **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("process", STARTS)  # `test_keys` has the other ways to lack a key
def test_process_that_lacks_a_key_in_use_ends_and_names_it(process, settings):
    settings.ENCRYPTION_KEYS = {"2026a": secrets.token_bytes(32)}
    answer_something()

    with start(STARTS[process], ENCRYPTION_KEYS=key("2026b")) as started:
        said = started.communicate(timeout=60)[0]

    assert started.returncode != 0
    assert "ENCRYPTION_KEYS lacks the key '2026a'" in said, said


@pytest.fixture
def empty_folder(tmp_path):
    """Where the database's socket is not yet, and how to put it there."""
    host, name = Path(connection.settings_dict["HOST"]), ".s.PGSQL.5432"
    if not (host / name).exists():
        pytest.skip("the database is not on a socket of this machine")
    return database_url().replace(f"host={str(host).replace('/', '%2F')}", f"host={tmp_path}"), lambda: (
        tmp_path / name
    ).symlink_to(host / name)


def read_until(started, words: str, seconds: float) -> str:
    said, deadline = "", time.monotonic() + seconds
    while words not in said and time.monotonic() < deadline:
        if select.select([started.stdout], [], [], 0.2)[0]:
            said += os.read(started.stdout.fileno(), 4096).decode()
    assert words in said, said
    return said


@pytest.mark.parametrize("is_lost", [False, True], ids=["with its keys", "with a key gone"])
def test_process_waits_for_the_database_and_then_checks_its_keys(empty_folder, settings, is_lost):
    settings.ENCRYPTION_KEYS = {"2026a": secrets.token_bytes(32)}
    answer_something()
    url, bring_database = empty_folder
    kept = "2026a:" + base64.urlsafe_b64encode(settings.ENCRYPTION_KEYS["2026a"]).decode()

    with start(["-c", "import clinic.wsgi"], url=url, ENCRYPTION_KEYS=key("2026b") if is_lost else kept) as started:
        said = read_until(started, "waiting for the database", 30)
        assert "No such file or directory" in said
        assert started.poll() is None
        bring_database()
        said = started.communicate(timeout=30)[0]

    assert (started.returncode != 0) == is_lost, said
    assert ("lacks the key '2026a'" in said) == is_lost
    assert Sweep.objects.filter(swept_at=None).exists() != is_lost
