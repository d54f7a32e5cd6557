"""Helpers that run our own commands as a user does, and find the processes they leave behind."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clinic.local.processes.folder import ROOT

needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into /proc")


class Command:
    """`python -m clinic.local …` (or any Python arguments) with its own RUNCLINIC_VAR, without FOREIGN variables."""

    def __init__(self, var: Path, *arguments: str, **environ: str):
        inherited = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        self.var = var
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**inherited, "RUNCLINIC_VAR": str(var), **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        was_alive = self.process.poll() is None
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        if was_alive:
            wait_until(lambda: not processes_of(self.var), seconds=20)

    def read_until(self, text: str) -> str:
        """Return the output up to the line with `text`. Fail the test if the output ends without it."""
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if text in line:
                return "".join(lines)
        pytest.fail(f"ended without {text!r}:\n{''.join(lines)}")

    def stop(self, number: int = signal.SIGINT) -> str:
        """Send the signal `number` and return the remaining output of the process."""
        self.process.send_signal(number)
        return self.finish()

    def finish(self, timeout: float = 30) -> str:
        return self.process.communicate(timeout=timeout)[0]


# Variables that the tests' environment may set and a fresh machine does not.
FOREIGN = {
    "DATABASE_URL",
    "MIGRATION_DATABASE_URL",
    "REDIS_URL",
    "EMAIL_URL",
    "ENVIRONMENT",
    "SECRET_KEY",
    "MAKELEVEL",
    "PORT",
    "DJANGO_SETTINGS_MODULE",
    "MAILBOX_DIR",
    "STATE_DIRECTORY",
}


def processes_of(var: Path) -> list[str]:
    """Return `pid command line` of each live process of this folder, by environment, arguments or working directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (process / "cmdline").read_bytes()
            environ = (process / "environ").read_bytes()
            place = os.fsencode((process / "cwd").readlink())
            mark = os.fsencode(var)
            if command and (mark in command or b"RUNCLINIC_VAR=" + mark + b"\0" in environ or place.startswith(mark)):
                found.append(f"{process.name} {command.replace(bytes(1), b' ').decode()}")
    return found


def wait_until(is_so, *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not (answer := is_so()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(answer)
