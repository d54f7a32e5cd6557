"""Benchmarks of the outbox: messages per second, beside the rates of the database and mail server alone, and the time
from due to handed over."""

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from clinic.local.processes.folder import ROOT
from clinic.local.processes.ports import free_port
from clinic.outbox.messages.planning import plan_message
from clinic.outbox.models import Message, State
from tests.clinic.outbox.workers import database_url, kill_group
from tests.factories import MessageFactory, PatientFactory
from tests.storm.houses import Database

pytestmark = pytest.mark.bench


@pytest.fixture
def mail_server():
    """Run `quick_post` in its own process and yield its port, so that the outbox is measured and not the server."""
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "tests.benchmarks.quick_post", str(port)], cwd=ROOT)
    end = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert time.monotonic() < end, "no mail server"
            time.sleep(0.1)
    yield port
    server.kill()
    server.wait()


@pytest.fixture(params=["as a clinic runs it", "without waiting for the disk, as the tests' own"])
def postgres(request):
    folder = Path(tempfile.mkdtemp(prefix="bench", dir="/tmp"))  # a socket's path must be short
    database = Database(folder, is_hasty="without" in request.param)
    database.name = request.param
    yield database
    database.stop()
    shutil.rmtree(folder, ignore_errors=True)


def test_hand_over_rate(postgres, mail_server, tmp_path):
    environ = {**os.environ, "DATABASE_URL": postgres.url, "EMAIL_URL": f"smtp://127.0.0.1:{mail_server}"}
    words = [sys.executable, "-m", "tests.benchmarks.hand_over"]
    with open(tmp_path / "log", "wb") as log:
        measured = subprocess.run(words, env=environ, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, check=True)
    rates = json.loads(measured.stdout)
    bare, mail = rates["claim and commit"], rates["make a mail and say it"]
    one_after_the_other = 1 / (1 / bare + 1 / mail)
    print(f"\n| Postgres {postgres.name}; one process | messages/s | of claim and commit |\n|---|---|---|")
    for what, rate in (
        ("claim and commit alone", bare),
        ("make a mail with Django's classes and say it by SMTP, no database", mail),
        ("these two one after the other: the floor of any outbox that does both", one_after_the_other),
        ("the outbox, letters of one line", rates["letters"]),
        ("the outbox, real reminders: visit looked at, link issued, both parts rendered", rates["reminders"]),
    ):
        print(f"| {what} | {rate:.0f} | {rate / bare:.2f} |")
    assert rates["letters"] >= 0.6 * one_after_the_other
    assert rates["reminders"] > 10  # a clinic's busiest day in well under a minute, on the slowest machine


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_woken", [False, True], ids=["swept", "woken"])
def test_time_from_due_to_handed_over(mail_server, tmp_path, is_woken):
    """Run a real worker and a real beat, without faults. A message that becomes due later waits for the next periodic
    sweep. A message that is planned for now, such as a confirmation, wakes the worker."""
    environ = {**os.environ, "DATABASE_URL": database_url(), "EMAIL_URL": f"smtp://127.0.0.1:{mail_server}"}
    celery = [sys.executable, "-m", "celery", "-A", "tests.clinic.letter_worker"]
    with open(tmp_path / "log", "wb") as log:
        crew = [
            subprocess.Popen([*celery, *words], cwd=ROOT, env=environ, start_new_session=True, stdout=log, stderr=log)
            for words in (
                ("worker", "--concurrency", "1", "--loglevel", "WARNING"),
                ("beat", "--loglevel", "WARNING", "--schedule", str(tmp_path / "beat")),
            )
        ]
        try:
            time.sleep(8)
            plan_now(200) if is_woken else plan_for_the_next_minute(1000)
            end = time.monotonic() + 120
            while Message.objects.exclude(state=State.SENT).exists():
                assert time.monotonic() < end, "not all were handed over"
                time.sleep(1)
        finally:
            for process in crew:
                kill_group(process)
    waits = sorted((row.settled_at - row.due_at).total_seconds() for row in Message.objects.all())
    print(f"\n| from due to handed over, {'woken' if is_woken else 'swept every 30 s'} | seconds |\n|---|---|")
    for name, share in (("median", 0.5), ("99 %", 0.99), ("99.9 %", 0.999)):
        print(f"| {name} | {waits[min(int(len(waits) * share), len(waits) - 1)]:.2f} |")
    assert waits[int(len(waits) * 0.999) - 1] <= (5 if is_woken else 35)


def plan_for_the_next_minute(number: int):
    began, patient = timezone.now(), PatientFactory()
    for _ in range(number):
        MessageFactory(patient=patient, due_at=began + timedelta(seconds=random.uniform(0, 60)))


def plan_now(number: int):
    patient = PatientFactory()
    for subject in range(number):
        now = timezone.now()
        plan_message(
            kind="letter",
            subject_id=uuid.UUID(int=subject),
            version=1,
            patient=patient,
            due_at=now,
            not_after=now + timedelta(hours=1),
            now=now,
        )
        time.sleep(0.1)
