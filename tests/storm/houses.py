"""The storm's own Postgres, broker, workers and beats, which can be killed and restarted in place."""

import os
import signal
import subprocess
import sys

import redis

from clinic.local.processes.folder import ROOT
from clinic.local.processes.ports import free_port
from clinic.local.servers.valkey import _configuration, _program

POSTGRES = """
import os, sys
from pathlib import Path
from clinic.local.processes.children import Children, StopRequested
from clinic.local.processes.folder import Folder
from clinic.local.servers.postgres import start_postgres
try:
    with Folder(Path(os.environ["RUNCLINIC_VAR"])).locked("storm") as folder, Children(lock_fd=folder.lock_fd) as all:
        print(start_postgres(all, folder, for_tests="hasty" in sys.argv), flush=True)
        while True:
            all.wait()
except StopRequested:
    pass
"""


class Database:
    """A Postgres in `folder`, configured as in production. With `is_hasty` it does not wait for the disk."""

    def __init__(self, folder, *, is_hasty: bool = False):
        self.folder, self.is_hasty = folder, is_hasty
        self.url = self.start()

    def start(self) -> str:
        environ = {**os.environ, "RUNCLINIC_VAR": str(self.folder), "ENVIRONMENT": "test"}
        words = [sys.executable, "-c", POSTGRES, *(["hasty"] if self.is_hasty else [])]
        self.process = subprocess.Popen(words, env=environ, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        return self.process.stdout.readline().strip()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.process.stdout.close()


class Broker:
    """A Valkey that keeps its port when it restarts."""

    def __init__(self, folder):
        self.folder, self.port, self.password = folder, free_port(), "storm"
        folder.mkdir()
        self.url = f"redis://:{self.password}@127.0.0.1:{self.port}/0"
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [_program(), "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.process.stdin.write(_configuration(self.folder, self.port, self.password).encode())
        self.process.stdin.close()

    def flush(self):
        redis.Redis.from_url(self.url).flushall()

    def kill(self):
        self.process.kill()
        self.process.wait()


class Crew:
    """Celery processes, each in its own process group, so that a kill includes its children."""

    def __init__(self, environ, log):
        self.environ, self.log, self.processes = environ, log, {}

    def start(self, name: str, *words: str):
        self.processes[name] = (
            subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "tests.storm.worker", *words],
                cwd=ROOT,
                env=self.environ,
                start_new_session=True,
                stdout=self.log,
                stderr=self.log,
            ),
            words,
        )

    def kill(self, name: str):
        process, _ = self.processes[name]
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def replace(self, name: str):
        """Kill with SIGKILL and start again."""
        self.kill(name)
        self.start(name, *self.processes[name][1])

    def kill_all(self):
        for name in self.processes:
            self.kill(name)
