"""The Celery app and the schedule of all periodic work.

Celery only triggers the sweeps. Due messages are rows in Postgres (`clinic.outbox`), so a lost or repeated trigger is
harmless.
"""

import os
import sys
from typing import Any

from celery import Celery, signals
from celery.schedules import crontab

from clinic.outbox.text.time_limits import REDELIVERED_AFTER, TASK_LIMIT, TASK_SOFT_LIMIT

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")

app = Celery("clinic")
app.conf.update(
    broker_connection_retry_on_startup=True,
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,  # with acks_late: the task of a killed child is requeued
    task_soft_time_limit=int(TASK_SOFT_LIMIT.total_seconds()),
    task_time_limit=int(TASK_LIMIT.total_seconds()),
    # An unacknowledged task is redelivered after `visibility_timeout`. Without the two `unacked_` options it takes ten
    # times as long.
    broker_transport_options={
        "visibility_timeout": int(REDELIVERED_AFTER.total_seconds()),
        "unacked_restore_interval": 30,
        "unacked_restore_throttle": 1,
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
    },
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    worker_prefetch_multiplier=1,
    imports=("clinic.cleanup",),
    enable_utc=True,
    timezone="UTC",
    beat_schedule={
        "send due messages": {"task": "clinic.outbox.tasks.send_due", "schedule": 30.0, "options": {"expires": 30}},
        "complete visits that are over": {
            "task": "booking.tasks.complete_arrived_visits",
            "schedule": 60.0,
            "options": {"expires": 60},
        },
        "look for silent calendar feeds": {
            "task": "booking.tasks.look_for_silent_feeds",
            "schedule": 3600.0,
            "options": {"expires": 3600},
        },
        "look for wait list entries that cannot be served": {
            "task": "booking.tasks.look_for_stuck_waits",
            "schedule": 3600.0,
            "options": {"expires": 3600},
        },
        # Four times a day, since a session expires SESSION_COOKIE_AGE after the visitor's last answer. So its row is
        # deleted within a day even if one run is missed. A crontab, because an interval would restart with beat.
        "delete what has expired": {
            "task": "clinic.cleanup.delete_expired",
            "schedule": crontab(minute=17, hour="*/6"),
            "options": {"expires": 6 * 3600},
        },
    },
)


@signals.celeryd_init.connect
@signals.beat_init.connect
def _prepare_process(**_: Any) -> None:
    from clinic.audit.keys import KeysLost
    from clinic.start import prepare_process

    try:
        prepare_process()
    except KeysLost as fault:  # Celery would log another exception and continue
        sys.exit(str(fault))


@signals.worker_ready.connect
def _sweep_at_once(**_: Any) -> None:
    """Send due messages when a worker starts, without waiting for beat."""
    from clinic.outbox.messages.planning import wake_sweep

    wake_sweep()


@app.on_configure.connect
def _use_broker(sender: Celery, **_: Any) -> None:
    from django.conf import settings

    sender.conf["broker_url"] = settings.ENV.redis_url


app.autodiscover_tasks()
