"""The site as in production, in its own folder: a durable Postgres and gunicorn. Both can be killed and restarted."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psycopg

from clinic.local.processes.children import Children
from clinic.local.processes.folder import ROOT, Folder
from clinic.local.processes.ports import free_port
from clinic.local.processes.refusal import CannotStart
from clinic.local.servers.postgres import start_postgres


class Site:
    """`with Site(path) as site:` migrates, opens the clinic of `tests.faults.clinic` and serves it on `site.port`."""

    def __init__(self, path: Path, *, wsgi: str = "clinic.wsgi", before_start: tuple[str, ...] = ()):
        self.path, self.wsgi, self.sql = path, wsgi, before_start
        self.port, self.web, self.children = free_port(), None, None
        self.kills = {"web": 0, "postgres": 0}
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        self._folder = self._stack.enter_context(Folder(self.path).locked("fault test"))
        self._stack.callback(self.stop)
        self.start_postgres()
        self.run("manage.py", "migrate", "-v0")
        self.run("-m", "tests.faults.clinic")
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            for statement in self.sql:
                connection.execute(statement)
        self.start_web()
        return self

    def __exit__(self, *error):
        self._stack.close()

    @property
    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in ("DJANGO_SETTINGS_MODULE", "PORT")}
        return kept | {
            "ENVIRONMENT": "test",
            "SECRET_KEY": "for-the-fault-test-only-" + "x" * 40,
            "DATABASE_URL": self.database_url,
            "REDIS_URL": "redis://127.0.0.1:1/0",  # nothing listens there; a missing broker must not fail a booking
            "DJANGO_SETTINGS_MODULE": "clinic.settings",
        }

    def run(self, *words: str) -> None:
        subprocess.run([sys.executable, *words], cwd=ROOT, env=self.environ, check=True)

    def start_postgres(self) -> None:
        """Start Postgres. After a kill, retry while its children still hold the shared memory."""
        for attempt in range(60):
            self.children = Children(lock_fd=self._folder.lock_fd)
            self.children.__enter__()
            try:
                self.database_url = start_postgres(self.children, self._folder)
                return
            except CannotStart:
                self.children.__exit__(None, None, None)
                if attempt == 59:
                    raise
                time.sleep(0.25)

    def kill_postgres(self) -> None:
        pid = int((self.path / "postgres" / "postmaster.pid").read_text().split()[0])
        own = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()
        for process in (pid, *map(int, own)):  # all at once, as in a power failure; only our own processes
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.children.__exit__(None, None, None)
        self.kills["postgres"] += 1

    def start_web(self) -> None:
        gunicorn = [sys.executable, "-m", "gunicorn", f"{self.wsgi}:application", "-b", f"127.0.0.1:{self.port}"]
        with open(self.path / "web.log", "ab") as log:
            self.web = subprocess.Popen(
                [*gunicorn, "--workers", "2", "--threads", "8", "--log-level", "warning"],
                cwd=ROOT,
                env=self.environ,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        self.wait_until_up()

    def wait_until_up(self, seconds: float = 40) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._answers():
                return
            time.sleep(0.1)
        raise AssertionError(f"the site does not answer; see {self.path}/web.log")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/book/", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def kill_web(self) -> None:
        os.killpg(self.web.pid, signal.SIGKILL)
        self.web.wait()
        self.kills["web"] += 1

    def stop(self) -> None:
        if self.web is not None and self.web.poll() is None:
            os.killpg(self.web.pid, signal.SIGKILL)
            self.web.wait()
        if self.children is not None:
            self.children.__exit__(None, None, None)
