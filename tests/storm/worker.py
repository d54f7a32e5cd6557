"""The site's own Celery app by the storm's clock: `celery -A tests.storm.worker worker`, or `beat`.

Only spans that are real seconds in a conversation with a server are stretched with the clock, so that a lease still
outlasts the slowest answer, as it does outside.
"""

from datetime import timedelta
from types import SimpleNamespace

import django

from clinic.celery import app
from tests.storm.clock import FACTOR, storm_time

LEASE = timedelta(seconds=6 * FACTOR)
PATIENCE_S = 1.5  # with the mail server


def go_by_the_storms_clock():
    from django.conf import settings  # models need django.setup() first

    from clinic.outbox import messages, sending, tasks

    tasks.timezone = SimpleNamespace(now=storm_time)
    sending.LEASE = LEASE
    messages.claim_due_messages.__kwdefaults__["lease"] = LEASE
    sending.SWEEP_LASTS = timedelta(seconds=10 * FACTOR)
    settings.MAILERS["default"]["OPTIONS"]["timeout"] = PATIENCE_S
    app.conf.beat_schedule["send due messages"]["schedule"] = 1.0


django.setup()
go_by_the_storms_clock()
