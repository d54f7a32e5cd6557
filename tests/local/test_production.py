"""Preconditions of `make proof`: compose runs the same commands as the units, and the probe detects failures.

The proof itself is part of .ci/run.
"""

import json
import re
import shlex
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from clinic.env import VARIABLES
from clinic.local.processes.folder import ROOT
from clinic.local.processes.ports import free_port
from clinic.local.processes.refusal import CannotStart
from clinic.local.proof.units import NAMES, read_environment_file, read_unit
from clinic.web.health import NO_DATABASE
from tests.local.processes import Command, needs_proc, processes_of, wait_until

DEPLOY = ROOT / "deploy"
AS_IN_COMPOSE = {
    "/srv/runclinic/site/.venv/bin/": "",
    "/var/lib/runclinic/celerybeat": "/tmp/celerybeat",
    "127.0.0.1:8000": "0.0.0.0:8000",
}


def compose_command(service: str) -> str:
    """Return a service's command from compose.yaml, written on one line or folded over several."""
    block = re.search(rf"^  {service}:\n((?:    .*\n|\n)+)", (DEPLOY / "compose.yaml").read_text(), re.MULTILINE)[1]
    return " ".join(re.search(r"    command: (?:>\n)?((?:.|\n      )+)", block)[1].split())


@pytest.mark.parametrize("service", ["worker", "beat"])
def test_compose_runs_what_the_unit_runs(service):
    [words] = read_unit(DEPLOY, service, moved=AS_IN_COMPOSE).commands
    assert shlex.split(compose_command(service)) == words


@pytest.mark.parametrize("service", ["migrate", "prepare"])
def test_compose_prepares_what_the_unit_prepares(service):
    commands = read_unit(DEPLOY, service, moved=AS_IN_COMPOSE).commands
    script = shlex.split(compose_command(service))[-1]
    assert [shlex.split(part) for part in script.split("&&")] == commands


def test_image_serves_as_the_unit_does():
    [words] = read_unit(DEPLOY, "web", moved=AS_IN_COMPOSE).commands
    command = re.search(r"^CMD \[(.*)\]$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)[1]
    assert [part for word in re.findall(r'"([^"]*)"', command) for part in word.split("=", 1)] == words


def test_each_unit_is_started_by_the_target():
    wanted = (DEPLOY / "runclinic.target").read_text()
    assert all(f"runclinic-{name}.service" in wanted for name in NAMES if name not in ("migrate", "prepare"))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("WorkingDirectory=/srv/runclinic/site", "WorkingDirectory=/srv/site"),
        ("EnvironmentFile=/etc/runclinic.env", "EnvironmentFile=/etc/clinic.env"),
        ("StateDirectory=runclinic", "#StateDirectory=runclinic"),
    ],
)
def test_unit_with_a_wrong_setting_is_refused(tmp_path, right, wrong):
    text = (DEPLOY / "runclinic-beat.service").read_text()
    (tmp_path / "runclinic-beat.service").write_text(text.replace(right, wrong))
    with pytest.raises(CannotStart, match=r"runclinic-beat\.service"):
        read_unit(tmp_path, "beat", moved={})


def test_example_environment_has_all_required_variables_and_no_unknown_ones():
    example = set(read_environment_file(DEPLOY / "environment.example"))
    assert {variable.name for variable in VARIABLES if variable.is_required} <= example
    assert example <= {variable.name for variable in VARIABLES}


def test_only_migrations_have_the_owner_of_the_tables():
    assert set(read_environment_file(DEPLOY / "environment-owner.example")) == {"MIGRATION_DATABASE_URL"}
    assert "MIGRATION_DATABASE_URL" not in read_environment_file(DEPLOY / "environment.example")
    users = {
        name: re.search(r"^User=(.*)$", (DEPLOY / f"runclinic-{name}.service").read_text(), re.M)[1] for name in NAMES
    }
    assert users == {name: "runclinic-owner" if name == "migrate" else "runclinic" for name in NAMES}


class Answers(BaseHTTPRequestHandler):
    """Respond 503 to the first `server.bad` requests, then 200."""

    def do_GET(self):
        is_bad = self.server.bad > 0
        self.server.bad -= 1
        self.send_response(503 if is_bad else 200)
        self.end_headers()
        self.wfile.write(json.dumps({"reasons": [NO_DATABASE]}).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        server.bad = 0
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def probe(port: int, *words: str):
    url = f"http://127.0.0.1:{port}/ready/"
    return subprocess.run(
        [sys.executable, DEPLOY / "probe.py", url, *words], capture_output=True, text=True, check=False, timeout=60
    )


def test_probe_is_silent_when_all_is_well(server):
    done = probe(server.server_port)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_probe_prints_the_reason_when_the_site_is_not_ready(server):
    server.bad = 1
    done = probe(server.server_port)
    assert done.returncode == 1
    assert "503" in done.stderr and NO_DATABASE in done.stderr


def test_probe_waits_until_all_is_well(server):
    server.bad = 2
    assert probe(server.server_port, "30").returncode == 0


def test_probe_fails_when_nothing_listens():
    done = probe(free_port())
    assert done.returncode == 1
    assert "does not answer" in done.stderr


@needs_proc
@pytest.mark.fault
def test_nothing_is_left_when_the_proof_is_stopped_or_killed(tmp_path):
    for number in (signal.SIGTERM, signal.SIGKILL):
        with Command(tmp_path, "-m", "clinic.local", "proof") as proof:
            proof.read_until("/ready/ is 200")
            proof.stop(number)
        assert wait_until(lambda: not processes_of(tmp_path), seconds=20), processes_of(tmp_path)
