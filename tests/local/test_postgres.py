"""The embedded Postgres: unusual folder names, stale files, crashes, and machines where root cannot drop privileges."""

import os
import shutil
import signal
import subprocess
import sys

import psycopg
import pytest

from clinic.env import parse_database_url
from clinic.local.processes.folder import ROOT
from clinic.local.processes.ports import free_port
from tests.local.processes import FOREIGN, Command, needs_proc, processes_of

pytestmark = needs_proc

SERVER = """
import os
from pathlib import Path
from clinic.local.processes.children import Children, StopRequested
from clinic.local.processes.folder import Folder
from clinic.local.servers.postgres import start_postgres
from clinic.local.processes.refusal import CannotStart

try:
    var = Folder(Path(os.environ["RUNCLINIC_VAR"]))
    with var.locked("test") as folder, Children(lock_fd=folder.lock_fd) as children:
        print(start_postgres(children, folder), flush=True)
        while True:
            children.wait()
except StopRequested:
    pass
except CannotStart as refusal:
    print(refusal, flush=True)
"""


def start_server(var):
    return Command(var, "-c", SERVER)


def read_url(command):
    line = command.process.stdout.readline().strip()
    assert line.startswith("postgresql://"), line
    return line


def ask(url, query, *, fetch=True):
    place = parse_database_url(url)
    with psycopg.connect(dbname=place["NAME"], user=place["USER"], host=place["HOST"], autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if fetch else None


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Return a folder with a database, in which a server was started and stopped again."""
    var = tmp_path_factory.mktemp("cluster") / "v"
    with start_server(var) as server:
        ask(read_url(server), "CREATE TABLE visit AS SELECT 'kept' AS note", fetch=False)
        server.stop()
        assert processes_of(var) == []
    return var


@pytest.fixture
def copied(cluster, tmp_path):
    return shutil.copytree(cluster, tmp_path / "v")


@pytest.mark.parametrize("name", ["with a space", "with,comma", "long" * 25])
def test_starts_in_a_folder_with_an_unusual_name(cluster, tmp_path, name):
    with start_server(shutil.copytree(cluster, tmp_path / name)) as server:
        assert ask(read_url(server), "SELECT note FROM visit") == [("kept",)]


def test_starts_with_a_stale_pid_file_whose_pid_is_reused(copied):
    (copied / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{copied / 'postgres'}\n")
    (copied / "run" / ".s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n")
    with start_server(copied) as server:
        assert ask(read_url(server), "SELECT note FROM visit") == [("kept",)]


def test_starts_after_an_interrupted_initdb(copied):
    (copied / "postgres").rename(copied / "postgres.new")
    (copied / "postgres.new" / "global" / "pg_control").unlink()
    with start_server(copied) as server:
        assert ask(read_url(server), "SELECT current_database()") == [("clinic",)]


def test_recovers_committed_rows_after_everything_was_killed(copied):
    with start_server(copied) as server:
        url = read_url(server)
        ask(url, "INSERT INTO visit VALUES ('committed')", fetch=False)
        pid = int((copied / "postgres" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        assert "killed by SIGKILL" in server.finish()
    with start_server(copied) as server:
        assert ask(read_url(server), "SELECT count(*) FROM visit") == [(2,)]


def test_second_server_is_refused_while_the_first_one_runs(copied):
    with start_server(copied) as first:
        read_url(first)
        with start_server(copied) as second:
            said = second.finish()
    assert "`test`" in said and f"already running (process {first.process.pid})" in said


def test_log_holds_no_row_when_a_statement_fails(copied):
    with start_server(copied) as server:
        url = read_url(server)
        ask(url, "CREATE UNIQUE INDEX ON visit (note)", fetch=False)
        with pytest.raises(psycopg.errors.UniqueViolation):
            ask(url, "INSERT INTO visit VALUES ('kept')", fetch=False)
    log = (copied / "postgres.log").read_text()
    assert "duplicate key value" in log
    assert "kept" not in log


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="only root needs a user namespace")
def test_error_suggests_database_url_when_root_cannot_drop_privileges(tmp_path):
    # Inside its own user namespace, a process can forbid further namespaces without affecting the rest of the machine.
    forbid = 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$0" -m clinic.local run'
    environ = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", forbid, sys.executable],
        env={**environ, "RUNCLINIC_VAR": str(tmp_path / "v"), "PORT": str(free_port())},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Postgres refuses to run")
    assert done.stderr.count("\n") == 1
    assert "DATABASE_URL" in done.stderr
