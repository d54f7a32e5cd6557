"""The folder that holds all state of a run, and its lock: one run at a time.

Every process of a run inherits the lock, so it is released when the last of them ends.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self, TypedDict

import psutil

from clinic.local.processes.refusal import CannotStart

ROOT = Path(__file__).resolve().parents[3]
SOCKET_FOLDER_LIMIT = 80  # bytes: Postgres adds its file's name, and the kernel allows 104 to 108 in all


def var_folder() -> Path:
    """Return $RUNCLINIC_VAR, else var/ in the project."""
    return Path(os.environ.get("RUNCLINIC_VAR") or ROOT / "var").resolve()


class State(TypedDict):
    """The run that uses a folder: command, process id, URL, and the environment for commands that use its servers."""

    what: str
    pid: int
    site: str
    environ: dict[str, str]


class Folder:
    """The state folder of a run. Use `with Folder(path).locked("make run") as folder:`."""

    def __init__(self, path: Path):
        self.path = path
        self.lock_fd = -1

    @contextlib.contextmanager
    def locked(self, what: str, *, patience_s: float = 10) -> Iterator[Self]:
        """Lock the folder and record the run `what` in it. Waits up to `patience_s` for a run that is ending.

        Raises CannotStart if a run is active.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.lock_fd = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._take_lock(patience_s)
            self.write_state(what=what)
            yield self
        finally:
            os.close(self.lock_fd)

    def _take_lock(self, patience_s: float) -> None:
        deadline = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(self.lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                state = self.read_state()
                is_alive = state is not None and psutil.pid_exists(state["pid"])
                if is_alive or time.monotonic() > deadline:
                    raise CannotStart(_already_running(self.path, state if is_alive else None)) from None
                time.sleep(0.1)

    def write_state(self, *, what: str, site: str = "", environ: dict[str, str] | None = None) -> None:
        """Record the run that uses the folder, its URL and its servers, for other commands."""
        state: State = {"what": what, "pid": os.getpid(), "site": site, "environ": environ or {}}
        unfinished = self.path / "run.json.new"
        unfinished.touch(mode=0o600)
        unfinished.write_text(json.dumps(state))
        unfinished.replace(self.path / "run.json")

    def read_state(self) -> State | None:
        try:
            return json.loads((self.path / "run.json").read_text())
        except (OSError, ValueError):
            return None

    def running_state(self) -> State | None:
        """Return the state of the run whose servers are up in this folder, or None."""
        state = self.read_state()
        return state if state and state["environ"] and psutil.pid_exists(state["pid"]) and self._is_locked() else None

    def _is_locked(self) -> bool:
        with open(self.path / "lock", "a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def socket_folder(self) -> Path:
        """Return a private folder for the Postgres socket, created if missing.

        It is in the temporary folder if the path of this folder is too long for a socket, or has a comma, which libpq
        would read as a list separator. Raises CannotStart if another user owns it.
        """
        folder = self.path / "run"
        if len(os.fsencode(folder)) > SOCKET_FOLDER_LIMIT or "," in str(folder):
            digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
            folder = Path(tempfile.gettempdir()) / f"runclinic-{os.getuid()}-{digest}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise CannotStart(f"{folder} belongs to another user; remove it, or set TMPDIR to a folder of your own.")
        folder.chmod(0o700)
        return folder

    def secret_key(self) -> str:
        """Return Django's SECRET_KEY for this folder. It is generated once, so that sessions survive a restart."""
        path = self.path / "secret-key"
        if not path.exists():
            unfinished = path.with_suffix(".new")
            unfinished.touch(mode=0o600)
            unfinished.write_text(secrets.token_urlsafe(64))
            unfinished.replace(path)
        return path.read_text()


def _already_running(path: Path, state: State | None) -> str:
    if state is None:
        return f"Processes of an earlier run still hold {path}. End them (they have {path}/lock open), then try again."
    where = f" at {state['site']}" if state["site"] else ""
    what, pid = state["what"], state["pid"]
    return f"`{what}` is already running{where} (process {pid}). Stop it there with Ctrl-C, or: kill {pid}"
