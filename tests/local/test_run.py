"""`make run` end to end: everything starts, a folder has one run at a time, and stopping leaves no process behind."""

import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from clinic.demo import login
from clinic.local.processes.folder import ROOT
from clinic.local.processes.ports import free_port
from tests.local.processes import Command, needs_proc, processes_of, wait_until

UP = "Ctrl-C stops everything."
# {child: text that identifies it in the command lines of a run}, in reverse order of stopping.
CHILDREN = {
    "postgres": "/postgres -D",
    "valkey": "valkey-server",
    "mail": "-m aiosmtpd",
    "web": "gunicorn clinic.wsgi",
    "worker": "clinic worker",
    "beat": "clinic beat",
}


def start_site(var, port):
    return Command(var, "-m", "clinic.local", "run", PORT=str(port))


def read_page(port, path="/"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
        return answer.status, answer.read().decode()


def pid_of(var, text, parent):
    """Return the pid of the supervisor's child with `text` in its command line. Fail the test if there is none."""
    for line in processes_of(var):
        pid = int(line.split()[0])
        if text in line and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1] == str(parent):
            return pid
    pytest.fail(f"no {text!r} in {processes_of(var)}")


@needs_proc
@pytest.mark.long
def test_site_runs_until_ctrl_c_and_leaves_nothing(tmp_path):
    var, port = tmp_path / "a folder with spaces in a path that is too long for the socket of a database", free_port()
    with start_site(var, port) as site:
        said = site.read_until(UP)
        assert f"http://127.0.0.1:{port}/\n" in said
        assert f"{login.EMAIL}   {login.PASSWORD}" in said
        assert read_page(port)[0] == 200
        assert read_page(port, "/_mail/")[0] == 200
        for words in CHILDREN.values():
            pid_of(var, words, site.process.pid)

        with start_site(var, free_port()) as second:
            assert f"running at http://127.0.0.1:{port} (process {site.process.pid})" in second.finish()
            assert second.process.returncode == 1

        count = "from booking.models import Service; print('services', Service.objects.count())"
        with Command(var, "-m", "clinic.local", "manage", "shell", "-c", count) as manage:
            assert "services" in manage.finish()

        asked = time.monotonic()
        site.stop(signal.SIGINT)
        assert time.monotonic() - asked < 8
        assert site.process.returncode == 0
        assert processes_of(var) == []


@pytest.fixture(scope="module")
def ready_folder(tmp_path_factory):
    """Return a folder in which the site has already run once, so that the next start is warm."""
    var = tmp_path_factory.mktemp("site") / "v"
    with start_site(var, free_port()) as site:
        site.read_until(UP)
        site.stop()
    return var


@needs_proc
@pytest.mark.fault
@pytest.mark.parametrize("child", CHILDREN)
def test_killed_child_stops_the_site_with_one_line(ready_folder, child):
    with start_site(ready_folder, free_port()) as site:
        site.read_until(UP)
        os.kill(pid_of(ready_folder, CHILDREN[child], site.process.pid), signal.SIGKILL)
        last = site.finish().strip().splitlines()[-1]
        assert last.startswith(f"{child} was killed by SIGKILL")
        assert site.process.returncode == 1
        assert wait_until(lambda: not processes_of(ready_folder), seconds=3), processes_of(ready_folder)


@needs_proc
@pytest.mark.fault
def test_nothing_is_left_when_the_supervisor_is_killed_and_the_next_run_works(ready_folder):
    port = free_port()
    with start_site(ready_folder, port) as site:
        site.read_until(UP)
        site.process.kill()
        site.process.wait()
        with start_site(ready_folder, port) as next_site:  # at once, while the previous run's children are still ending
            next_site.read_until(UP)
            assert read_page(port)[0] == 200
            next_site.stop(signal.SIGTERM)
    assert processes_of(ready_folder) == []


@needs_proc
@pytest.mark.fault
def test_nothing_is_left_when_the_run_is_stopped_while_it_starts(ready_folder):
    for tenths in range(1, 30, 4):
        with start_site(ready_folder, free_port()) as site:
            time.sleep(tenths / 10)
            said = site.stop(signal.SIGTERM)
            assert "Traceback" not in said
            assert processes_of(ready_folder) == []


@pytest.mark.fault
def test_warm_start_is_quick(ready_folder):
    started = time.monotonic()
    with start_site(ready_folder, free_port()) as site:
        site.read_until(UP)
        took = time.monotonic() - started
    assert took < 6


def test_busy_port_is_reported_with_the_process_that_has_it(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with start_site(tmp_path / "v", port) as site:
            said = site.finish()
    assert said.startswith(f"Port {port} is taken by ")
    assert f"(process {os.getpid()})" in said
    assert f"make run PORT={port + 1}" in said
    assert said.count("\n") == 1
    assert site.process.returncode == 1


@pytest.mark.parametrize("port", ["eighty", "0", "65536", "-1"])
def test_invalid_port_is_refused_in_one_line(tmp_path, port):
    with start_site(tmp_path / "v", port) as site:
        assert re.fullmatch(rf"PORT={port} .*\n", site.finish())
    assert site.process.returncode == 1


def test_production_is_refused(tmp_path):
    with Command(tmp_path / "v", "-m", "clinic.local", "run", ENVIRONMENT="production", PORT=str(free_port())) as site:
        assert site.finish().startswith("ENVIRONMENT is production.")
    assert site.process.returncode == 1


def test_database_url_is_used_and_no_postgres_is_started(tmp_path):
    environ = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing", "EMAIL_URL": "smtp://127.0.0.1:1"}
    with Command(tmp_path / "v", "-m", "clinic.local", "run", PORT=str(free_port()), **environ) as site:
        said = site.finish()
    assert "port 1 failed" in said
    assert "Traceback" not in said
    assert not (tmp_path / "v" / "postgres").exists()
    assert site.process.returncode == 1


def find_python(tmp_path, **environ):
    return subprocess.run(
        ["/bin/sh", ROOT / "clinic/local/find-python.sh"],
        env={"PATH": str(tmp_path), "HOME": str(tmp_path), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def write_program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_missing_python_is_reported_in_one_line(tmp_path):
    done = find_python(tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Python 3.12" in done.stderr
    assert done.stderr.count("\n") == 1


def test_python_is_found_after_broken_shims_and_old_versions(tmp_path):
    write_program(tmp_path / "python3.14", "echo 'pyenv: python3.14: command not found' >&2; exit 127")
    write_program(tmp_path / "python3", "exit 1")  # as an old Python fails the version check
    write_program(tmp_path / ".pyenv/versions/3.13.0/bin/python", "echo /the/real/python")
    assert find_python(tmp_path).stdout == "/the/real/python\n"


def test_python_variable_is_used_first_unless_it_does_not_run(tmp_path):
    write_program(tmp_path / "mine", "echo /mine")
    write_program(tmp_path / "python3", "echo /other")
    assert find_python(tmp_path, PYTHON=str(tmp_path / "mine")).stdout == "/mine\n"
    done = find_python(tmp_path, PYTHON="/no/such/python")
    assert done.stdout == "/other\n"
    assert "/no/such/python" in done.stderr and "/other" in done.stderr
