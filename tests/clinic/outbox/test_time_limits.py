"""The limits agree with one another, with Celery's, and with how long the deployment lets a worker finish."""

import re
from datetime import timedelta
from pathlib import Path

from clinic.celery import app
from clinic.outbox.sending.claims import claim_due_messages
from clinic.outbox.text import time_limits as limits

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"


def test_a_lease_outlasts_a_sweep_a_conversation_and_writing_down_that_the_message_went():
    assert claim_due_messages.__kwdefaults__["lease"] == limits.LEASE
    assert limits.LEASE >= limits.SWEEP_LASTS + limits.CONVERSATION + limits.RECORDING_SENT


def test_celery_ends_no_task_before_the_last_lease_of_its_sweep_has_run_out():
    last_lease = limits.SWEEP_LASTS + limits.LEASE
    soft, hard = (timedelta(seconds=app.conf[name]) for name in ("task_soft_time_limit", "task_time_limit"))
    assert last_lease <= soft < hard
    assert hard < timedelta(seconds=app.conf.broker_transport_options["visibility_timeout"])


def test_a_worker_that_is_stopped_may_finish_what_celery_lets_it_finish():
    unit = re.search(r"^TimeoutStopSec=(\d+)$", (DEPLOY / "runclinic-worker.service").read_text(), re.M)
    compose = re.search(
        r"^  worker:\n(?:    .*\n)*?    stop_grace_period: (\d+)s", (DEPLOY / "compose.yaml").read_text(), re.M
    )
    for found in (unit, compose):
        assert int(found[1]) >= app.conf.task_time_limit
