"""The time limits fit each other, Celery's limits, and the time the deployment gives a stopping worker."""

import re
from datetime import timedelta
from pathlib import Path

from clinic.celery import app
from clinic.outbox.sending.claims import claim_due_messages
from clinic.outbox.text import time_limits as limits

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"


def test_lease_outlasts_a_sweep_an_smtp_conversation_and_recording_the_result():
    assert claim_due_messages.__kwdefaults__["lease"] == limits.LEASE
    assert limits.LEASE >= limits.SWEEP_LASTS + limits.CONVERSATION + limits.RECORDING_SENT


def test_celery_ends_a_task_only_after_the_last_lease_of_its_sweep_has_expired():
    last_lease = limits.SWEEP_LASTS + limits.LEASE
    soft, hard = (timedelta(seconds=app.conf[name]) for name in ("task_soft_time_limit", "task_time_limit"))
    assert last_lease <= soft < hard
    assert hard < timedelta(seconds=app.conf.broker_transport_options["visibility_timeout"])


def test_stopping_worker_has_time_to_finish_its_task():
    unit = re.search(r"^TimeoutStopSec=(\d+)$", (DEPLOY / "runclinic-worker.service").read_text(), re.M)
    compose = re.search(
        r"^  worker:\n(?:    .*\n)*?    stop_grace_period: (\d+)s", (DEPLOY / "compose.yaml").read_text(), re.M
    )
    for found in (unit, compose):
        assert int(found[1]) >= app.conf.task_time_limit
