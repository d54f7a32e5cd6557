"""Web, worker and beat, started for real: none of them runs without the keys, and all wait for the database."""

import base64
import http.client
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
from clinic.practice.models import Clinic
from tests.clinic.audit.answers import answer_something
from tests.clinic.outbox.workers import database_url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

CELERY = ["-m", "celery", "-A", "clinic"]
GUNICORN = ["-m", "gunicorn", "clinic.wsgi", "--workers", "2", "--worker-class", "gthread", "--no-control-socket"]
PREPARE = "import django; django.setup(); from clinic.start import prepare_process; prepare_process()"
STARTS = {
    "web": GUNICORN,
    "web, loaded before its workers": [*GUNICORN, "--preload"],
    "worker": [*CELERY, "worker", "--concurrency", "1", "--without-mingle"],
    "beat": [*CELERY, "beat", "--pidfile=", "--schedule=/dev/null"],
}


def key(key_id: str) -> str:
    return f"{key_id}:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}"


def start(words, **options):
    return start_on([*words, "--bind", f"127.0.0.1:{free_port()}"] if "gunicorn" in words else words, **options)


def end(process: subprocess.Popen) -> None:
    """End a server. A SIGTERM is repeated, since gunicorn can miss one that arrives while it starts its workers."""
    for _ in range(10):
        process.terminate()
        try:
            process.communicate(timeout=3)
        except subprocess.TimeoutExpired:
            continue
        return
    process.kill()
    raise AssertionError("the server has not ended after ten SIGTERMs")


def start_on(words, *, url: str | None = None, **environ):
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
    assert "ENCRYPTION_KEYS" in said and "'2026a'" in said, said


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

    with start(["-c", PREPARE], url=url, ENCRYPTION_KEYS=key("2026b") if is_lost else kept) as started:
        said = read_until(started, "waiting for the database", 30)
        assert "No such file or directory" in said
        assert started.poll() is None
        bring_database()
        said = started.communicate(timeout=30)[0]

    assert (started.returncode != 0) == is_lost, said
    assert ("lacks the key '2026a'" in said) == is_lost
    assert Sweep.objects.filter(swept_at=None).exists() != is_lost


def ask(port: int, path: str) -> tuple[int, str]:
    """Status and text, by the loopback name that ALLOWED_HOSTS has everywhere but in production."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


def wait_for_status(port: int, path: str, status: int) -> str:
    deadline, answer = time.monotonic() + 60, (0, "")
    while answer[0] != status and time.monotonic() < deadline:
        time.sleep(0.1)
        answer = ask(port, path)
    assert answer[0] == status, answer
    return answer[1]


@pytest.fixture
def described_clinic():
    Clinic.objects.create(name="Lakes Clinic", phone="+16035550142", emergency_number="911")


def test_web_restarted_while_the_database_is_away_says_whom_to_call_and_comes_back(
    described_clinic, empty_folder, tmp_path
):
    url, bring_database = empty_folder
    port, state = free_port(), str(tmp_path / "state")
    web = [*STARTS["web, loaded before its workers"], "--bind", f"127.0.0.1:{port}"]

    with start_on(web, url=database_url(), STATE_DIRECTORY=state) as first:
        wait_for_status(port, "/book/", 200)
        end(first)
    with start_on(web, url=url, STATE_DIRECTORY=state) as second:
        wait_for_status(port, "/live/", 200)
        for path in ("/", "/book/", "/book/call/", "/visits/x/", "/intake/x/", "/learn/", "/nowhere/", "/admin/"):
            status, page = ask(port, path)
            assert status == 503, path
            assert ("tel:+16035550142" in page and "(603) 555-0142" in page) or path == "/admin/", path
        assert "Lakes Clinic" in ask(port, "/book/")[1]
        assert ask(port, "/ready/")[0] == 503
        bring_database()
        assert "Lakes Clinic" in wait_for_status(port, "/book/", 200)
        assert ask(port, "/nowhere/")[0] == 404
        end(second)


def test_web_started_while_the_database_is_away_ends_once_it_finds_a_key_lost(empty_folder, settings):
    settings.ENCRYPTION_KEYS = {"2026a": secrets.token_bytes(32)}
    answer_something()
    url, bring_database = empty_folder
    port = free_port()
    web = [*STARTS["web, loaded before its workers"], "--bind", f"127.0.0.1:{port}"]

    with start_on(web, url=url, ENCRYPTION_KEYS=key("2026b")) as started:
        wait_for_status(port, "/live/", 200)
        bring_database()
        deadline = time.monotonic() + 30
        while started.poll() is None and time.monotonic() < deadline:
            assert ask(port, "/book/")[0] in (0, 503)
            time.sleep(0.2)
        said = started.communicate(timeout=30)[0]

    assert started.returncode != 0
    assert "lacks the key '2026a'" in said, said


def test_web_works_when_its_state_folder_cannot_be_written(described_clinic, tmp_path):
    (tmp_path / "file").write_text("")
    port = free_port()
    web = [*GUNICORN, "--bind", f"127.0.0.1:{port}"]

    with start_on(web, url=database_url(), STATE_DIRECTORY=str(tmp_path / "file" / "state")) as started:
        assert "Lakes Clinic" in wait_for_status(port, "/book/", 200)
        end(started)
        said = started.communicate(timeout=30)[0]

    assert "STATE_DIRECTORY" in said
