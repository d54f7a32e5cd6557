"""How fast the outbox hands over, beside what the database alone could do, and how long a message waits for its turn."""

import os
import random
import socket
import subprocess
import sys
import time
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.local.folder import ROOT
from clinic.local.ports import free_port
from clinic.outbox.messages import claim_due_messages
from clinic.outbox.models import Message, State
from clinic.outbox.sending import UNLEASED, send_due_messages
from tests.clinic.factories import MessageFactory, PatientFactory
from tests.clinic.letters import register_letters
from tests.clinic.test_outbox_killed_worker import database_url, kill_group

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
MESSAGES, ROUNDS = 600, 3


@pytest.fixture
def mail_server(settings):
    """An SMTP server in a process of its own, which takes and forgets."""
    port = free_port()
    words = ["-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}", "-c", "aiosmtpd.handlers.Sink"]
    server = subprocess.Popen([sys.executable, *words])
    end = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert time.monotonic() < end, "no mail server"
            time.sleep(0.1)
    options = {"host": "127.0.0.1", "port": port, "timeout": 5}
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}}
    yield port
    server.kill()
    server.wait()


def due_letters():
    now = timezone.now()
    patient = PatientFactory()
    letters = MessageFactory.build_batch(MESSAGES, patient=patient, due_at=now - timedelta(seconds=1))
    for letter in letters:
        letter.subject_id = uuid.uuid4()
        letter.dedupe_key = str(letter.subject_id)
    Message.objects.bulk_create(letters)


def claim_and_commit() -> int:
    """What any outbox on this database must do: take a batch, and write down each message by itself."""
    done = 0
    while batch := claim_due_messages(now=timezone.now()):
        for message in batch:
            ours = Message.objects.filter(pk=message.pk, lease_token=message.lease_token)
            done += ours.update(state=State.SENT, settled_at=timezone.now(), **UNLEASED)
    return done


def hand_over() -> int:
    done = 0
    while sent := send_due_messages(clock=timezone.now):
        done += sent
    return done


def rate_of(work) -> float:
    due_letters()
    began = time.perf_counter()
    assert work() == MESSAGES
    return MESSAGES / (time.perf_counter() - began)


def test_hand_over_rate(mail_server):
    register_letters()
    bare = max(rate_of(claim_and_commit) for _ in range(ROUNDS))
    whole = max(rate_of(hand_over) for _ in range(ROUNDS))
    print(f"\n| one process | messages/s |\n|---|---|\n| claim and commit alone | {bare:.0f} |")
    print(f"| claimed, looked at again, rendered, handed over by SMTP, written down | {whole:.0f} |")
    print(f"| ratio | {whole / bare:.2f} |")
    assert whole > 20  # a clinic's busiest day in well under a minute


def test_time_from_due_to_handed_over(mail_server, tmp_path):
    """Real worker, real beat, no faults; nothing but the sweep every 30 seconds wakes the worker."""
    environ = {**os.environ, "DATABASE_URL": database_url(), "EMAIL_URL": f"smtp://127.0.0.1:{mail_server}"}
    celery = [sys.executable, "-m", "celery", "-A", "tests.clinic.letter_worker"]
    crew = [
        subprocess.Popen([*celery, *words], cwd=ROOT, env=environ, start_new_session=True)
        for words in (
            ("worker", "--concurrency", "1", "--loglevel", "WARNING"),
            ("beat", "--loglevel", "WARNING", "--schedule", str(tmp_path / "beat")),
        )
    ]
    try:
        time.sleep(8)
        began = timezone.now()
        patient = PatientFactory()
        for _ in range(1000):
            due_at = began + timedelta(seconds=random.uniform(0, 60))
            MessageFactory(patient=patient, due_at=due_at)
        end = time.monotonic() + 120
        while Message.objects.exclude(state=State.SENT).exists():
            assert time.monotonic() < end, "not all were handed over"
            time.sleep(1)
    finally:
        for process in crew:
            kill_group(process)
    waits = sorted((row.settled_at - row.due_at).total_seconds() for row in Message.objects.all())
    print("\n| from due to handed over | seconds |\n|---|---|")
    for name, share in (("median", 0.5), ("99 %", 0.99), ("99.9 %", 0.999)):
        print(f"| {name} | {waits[min(int(len(waits) * share), len(waits) - 1)]:.1f} |")
    assert waits[int(len(waits) * 0.999) - 1] <= 35
