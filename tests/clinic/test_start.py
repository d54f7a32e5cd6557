"""Real web, worker and beat processes: none runs without the encryption keys, and all wait for the database."""

import base64
import contextlib
import errno
import http.client
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from django.db import connection

from clinic.local.processes.folder import ROOT
from clinic.local.processes.ports import free_port
from clinic.outbox.models import Sweep
from clinic.practice.models import Clinic
from tests.clinic.audit.answers import answer_something
from tests.clinic.outbox.workers import database_url, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

CELERY = ["-m", "celery", "-A", "clinic"]
GUNICORN = ["-m", "gunicorn", "clinic.wsgi", "--workers", "2", "--worker-class", "gthread", "--no-control-socket"]
PREPARE = "import django; django.setup(); from clinic.start import prepare_process; prepare_process()"
STARTS = {
    "web": GUNICORN,
    "web, loaded before its workers": [*GUNICORN, "--preload"],
    "worker": [*CELERY, "worker", "--concurrency", "1", "--without-mingle"],
    "beat": [*CELERY, "beat", "--pidfile="],
}


def key(key_id: str) -> str:
    return f"{key_id}:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}"


class Server:
    """A process that is killed when its block ends. Its output goes to a file, since a full pipe would block it."""

    def __init__(self, words: list[str], *, url: str | None = None, **environ: str):
        self.output = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed in __exit__)
        self.process = subprocess.Popen(
            [sys.executable, *words],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": url or database_url(), **environ},
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.output.close()

    def read(self) -> str:
        """Return everything it has written so far."""
        return os.pread(self.output.fileno(), 10**7, 0).decode()

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def wait(self, seconds: float = 60) -> int:
        """Return its exit status. Fail with its output if it still runs after `seconds`."""
        try:
            return self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"still running after {seconds} s:\n{self.read()}")

    def end(self) -> None:
        """Send SIGTERM until it exits, since gunicorn can miss one that arrives while it starts its workers."""
        for _ in range(10):
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=3)
                return
        pytest.fail(f"still running after ten SIGTERMs:\n{self.read()}")


def start(words, **options) -> Server:
    return Server([*words, "--bind", f"127.0.0.1:{free_port()}"] if "gunicorn" in words else words, **options)


@pytest.mark.parametrize("process", STARTS)  # test_keys.py has the other cases of missing keys
def test_process_exits_and_names_the_key_when_a_key_in_use_is_missing(process, settings, tmp_path):
    settings.ENCRYPTION_KEYS = {"2026a": secrets.token_bytes(32)}
    answer_something()

    words = [*STARTS[process], f"--schedule={tmp_path / 'beat'}"] if process == "beat" else STARTS[process]
    with start(words, ENCRYPTION_KEYS=key("2026b")) as started:
        status, said = started.wait(), started.read()

    assert status != 0
    assert "ENCRYPTION_KEYS" in said and "'2026a'" in said, said


@pytest.fixture
def empty_folder(tmp_path):
    """Return the URL of a database whose socket does not exist yet, and a function that links the socket there."""
    host, name = Path(connection.settings_dict["HOST"]), ".s.PGSQL.5432"
    if not (host / name).exists():
        pytest.skip("the database is not on a socket of this machine")
    return database_url().replace(f"host={str(host).replace('/', '%2F')}", f"host={tmp_path}"), lambda: (
        tmp_path / name
    ).symlink_to(host / name)


@pytest.mark.parametrize("is_lost", [False, True], ids=["with its keys", "with a key gone"])
def test_process_waits_for_the_database_and_then_checks_its_keys(empty_folder, settings, is_lost):
    settings.ENCRYPTION_KEYS = {"2026a": secrets.token_bytes(32)}
    answer_something()
    url, bring_database = empty_folder
    kept = "2026a:" + base64.urlsafe_b64encode(settings.ENCRYPTION_KEYS["2026a"]).decode()

    with start(["-c", PREPARE], url=url, ENCRYPTION_KEYS=key("2026b") if is_lost else kept) as started:
        wait_until(lambda: "waiting for the database" in started.read(), seconds=30)
        assert os.strerror(errno.ENOENT) in started.read()
        assert not started.has_ended()
        bring_database()
        status, said = started.wait(), started.read()

    assert (status != 0) == is_lost, said
    assert ("lacks the key '2026a'" in said) == is_lost
    assert Sweep.objects.filter(swept_at=None).exists() != is_lost


def ask(port: int, path: str) -> tuple[int, str]:
    """Return status and text, or (0, "") on a connection error. Only production does not allow the host 127.0.0.1."""
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


def test_web_restarted_while_the_database_is_down_shows_the_phone_and_recovers(
    described_clinic, empty_folder, tmp_path
):
    url, bring_database = empty_folder
    port, state = free_port(), str(tmp_path / "state")
    web = [*STARTS["web, loaded before its workers"], "--bind", f"127.0.0.1:{port}"]

    with Server(web, url=database_url(), STATE_DIRECTORY=state) as first:
        wait_for_status(port, "/book/", 200)
        first.end()
    with Server(web, url=url, STATE_DIRECTORY=state) as second:
        wait_for_status(port, "/live/", 200)
        for path in ("/", "/book/", "/book/call/", "/visits/x/", "/intake/x/", "/learn/", "/nowhere/", "/admin/"):
            status, page = ask(port, path)
            assert status == 503, path
            assert ("tel:+16035550142" in page and "(603) 555-0142" in page) or path == "/admin/", path
        assert "Lakes Clinic" in ask(port, "/book/")[1]
        assert ask(port, "/ready/")[0] == 503
        bring_database()
        assert "Lakes Clinic" in wait_for_status(port, "/book/", 200)
        wait_for_status(port, "/nowhere/", 404)  # the other worker may find the database a moment later
        second.end()


def test_web_started_while_the_database_is_down_exits_once_it_finds_a_key_missing(empty_folder, settings):
    settings.ENCRYPTION_KEYS = {"2026a": secrets.token_bytes(32)}
    answer_something()
    url, bring_database = empty_folder
    port = free_port()
    web = [*STARTS["web, loaded before its workers"], "--bind", f"127.0.0.1:{port}"]

    with Server(web, url=url, ENCRYPTION_KEYS=key("2026b")) as started:
        wait_for_status(port, "/live/", 200)
        bring_database()
        deadline = time.monotonic() + 30
        while not started.has_ended() and time.monotonic() < deadline:
            assert ask(port, "/book/")[0] in (0, 503)
            time.sleep(0.2)
        status, said = started.wait(), started.read()

    assert status != 0
    assert "lacks the key '2026a'" in said, said


def test_web_works_when_its_state_folder_is_not_writable(described_clinic, tmp_path):
    (tmp_path / "file").write_text("")
    port = free_port()
    web = [*GUNICORN, "--bind", f"127.0.0.1:{port}"]

    with Server(web, url=database_url(), STATE_DIRECTORY=str(tmp_path / "file" / "state")) as started:
        assert "Lakes Clinic" in wait_for_status(port, "/book/", 200)
        started.end()
        said = started.read()

    assert "STATE_DIRECTORY" in said
