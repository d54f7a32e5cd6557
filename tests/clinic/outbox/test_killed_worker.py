"""A worker is killed between the mail server accepting an email and the commit that records it.

Real Celery worker, broker, SMTP server and kill -9. No message is lost, and at most that one email is sent twice, with
the same Message-ID, so that a mailbox can drop the duplicate.
"""

import os
import subprocess
import sys
import time
import uuid
from collections import Counter
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone

from clinic.celery import app
from clinic.outbox.messages.planning import SWEEP
from clinic.outbox.models import Message, State
from tests.clinic.outbox.workers import database_url, kill_group, wait_until
from tests.factories import MessageFactory

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[3]
QUEUE = f"letters-{uuid.uuid4().hex}"


@pytest.fixture
def start_worker(post_office, settings):
    """Return a function that starts a worker in its own process group. Kill all of them when the test ends."""
    started = []
    environ = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "clinic.settings",
        "DATABASE_URL": database_url(),
        "EMAIL_URL": f"smtp://127.0.0.1:{post_office.port}",
    }

    def start(**more):
        options = [
            "--queues",
            QUEUE,
            "--concurrency",
            "1",
            "--loglevel",
            "WARNING",
            "--without-gossip",
            "--without-mingle",
        ]
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "tests.clinic.letter_worker", "worker", *options],
            cwd=ROOT,
            env={**environ, **more},
            start_new_session=True,
        )
        started.append(worker)
        return worker

    yield start
    for worker in started:
        kill_group(worker)
    with app.connection_for_write() as broker:
        broker.default_channel.queue_delete(QUEUE)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_and_at_most_one_email_is_repeated_when_a_worker_is_killed_while_sending(
    post_office, start_worker
):
    now = timezone.now()
    messages = MessageFactory.create_batch(6, due_at=now)
    post_office.is_hanging = True

    worker = start_worker()
    app.send_task(SWEEP, queue=QUEUE)
    assert post_office.took_one.wait(15)
    kill_group(worker)
    post_office.is_hanging = False

    assert not Message.objects.filter(state=State.SENT).exists()
    in_the_gap = post_office.mails[0]["Message-ID"]
    Message.objects.filter(state=State.SENDING).update(lease_until=now)  # as if the lease had expired

    start_worker()
    app.send_task(SWEEP, queue=QUEUE)
    wait_until(lambda: Message.objects.filter(state=State.SENT).count() == len(messages))

    copies = Counter(post_office.message_ids())
    assert set(copies) == {message.message_id for message in messages}
    assert {message_id for message_id, count in copies.items() if count > 1} <= {in_the_gap}
    assert copies[in_the_gap] == 2


@pytest.mark.django_db(transaction=True)
def test_an_email_is_sent_once_when_the_server_and_the_database_are_almost_too_slow(post_office, start_worker):
    """All time limits are divided by 30.

    The SMTP server takes 4.5 of its 5 seconds, then the row stays locked for 1.5 of 2 more.
    """
    message = MessageFactory(due_at=timezone.now())
    post_office.is_hanging = True

    start_worker(LETTERS_PACE="30")
    app.send_task(SWEEP, queue=QUEUE)
    assert post_office.took_one.wait(30)
    with transaction.atomic():
        Message.objects.select_for_update().get(pk=message.pk)
        time.sleep(4.5)
        post_office.is_hanging = False
        time.sleep(1.5)
    wait_until(lambda: Message.objects.filter(state=State.SENT, attempts=1).exists(), seconds=10)

    app.send_task(SWEEP, queue=QUEUE)
    time.sleep(1)
    assert post_office.message_ids() == [message.message_id]
