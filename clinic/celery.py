"""The Celery app and all periodic work, on one page.

Celery only wakes a sweep; what is due is a row in Postgres (`clinic.outbox`), so a lost or repeated wake-up is harmless.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")

app = Celery("clinic")
app.conf.update(
    broker_connection_retry_on_startup=True,
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,  # with acks_late: a killed pool child gives its task back
    worker_hijack_root_logger=False,
    worker_prefetch_multiplier=1,
    enable_utc=True,
    timezone="UTC",
    beat_schedule={
        "send due messages": {"task": "clinic.outbox.tasks.send_due", "schedule": 30.0, "options": {"expires": 30}},
    },
)


@app.on_configure.connect
def _use_broker(sender, **_):
    from django.conf import settings

    sender.conf.broker_url = settings.ENV.redis_url


app.autodiscover_tasks()
