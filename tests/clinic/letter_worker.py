"""A Celery worker with the message kinds of these tests: `celery -A tests.clinic.letter_worker worker`.

LETTERS_PACE divides each duration of `clinic.outbox.text.time_limits`, including Celery's own limits. At 10 the worker
runs ten times as fast.
"""

import os

import django

from clinic.celery import app

PACE = float(os.environ.get("LETTERS_PACE", "1"))


def know_letters():
    from tests.clinic.letters import register_letters  # models need django.setup() first

    register_letters()


def go_at_the_pace():
    from clinic.outbox.sending import claims
    from clinic.outbox.sending import hand_over as sending
    from clinic.outbox.text import time_limits as limits

    app.conf.task_soft_time_limit = limits.TASK_SOFT_LIMIT.total_seconds() / PACE
    app.conf.task_time_limit = limits.TASK_LIMIT.total_seconds() / PACE
    for name in ("SWEEP_LASTS", "CONVERSATION", "RECORDING_SENT"):
        setattr(sending, name, getattr(limits, name) / PACE)
    claims.claim_due_messages.__kwdefaults__["lease"] = limits.LEASE / PACE


django.setup()
know_letters()
go_at_the_pace()
