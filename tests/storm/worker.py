"""The site's own Celery app on the storm's clock: `celery -A tests.storm.worker worker`, or `beat`.

SWEEP_LASTS, CONVERSATION and RECORDING_SENT are multiplied by FACTOR, because they cover real seconds of talking to a
server. A lease therefore still outlasts a sweep and the slowest answer, as in production. STORM_PLANT names a fault to
plant, for the test that checks that the storm finds it.
"""

import os
from datetime import timedelta
from types import SimpleNamespace

import django

from clinic.celery import app
from tests.storm.clock import FACTOR, storm_time

SWEEP_LASTS, CONVERSATION = timedelta(seconds=4 * FACTOR), timedelta(seconds=8 * FACTOR)
RECORDING_SENT = timedelta(seconds=4 * FACTOR)
PATIENCE_S = 3  # timeout of the connection to the mail server


def go_by_the_storms_clock():
    from django.conf import settings  # models need django.setup() first

    from clinic.outbox import tasks
    from clinic.outbox.sending import claims
    from clinic.outbox.sending import hand_over as sending

    tasks.timezone = SimpleNamespace(now=storm_time)
    sending.SWEEP_LASTS, sending.CONVERSATION = SWEEP_LASTS, CONVERSATION
    sending.RECORDING_SENT = RECORDING_SENT
    claims.claim_due_messages.__kwdefaults__["lease"] = SWEEP_LASTS + CONVERSATION + RECORDING_SENT
    settings.MAILERS["default"]["OPTIONS"]["timeout"] = PATIENCE_S
    app.conf.beat_schedule["send due messages"]["schedule"] = 1.0


def plant(fault: str):
    from clinic.outbox.models import State
    from clinic.outbox.sending import hand_over as sending

    if fault == "no second look":
        sending._why_unwanted = lambda *about, **when: None
    elif fault == "success is not written down":
        sending._record_sent = lambda message, *, now: State.SENT


def know_letters():
    from tests.clinic.letters import register_letters

    register_letters()


django.setup()
know_letters()
go_by_the_storms_clock()
plant(os.environ.get("STORM_PLANT", ""))
