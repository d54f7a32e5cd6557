"""The Celery task that sweeps for due messages, which are rows in the database."""

from celery import shared_task
from django.utils import timezone

from clinic.outbox.sending.hand_over import send_due_messages


@shared_task(name="clinic.outbox.tasks.send_due")
def send_due() -> None:
    send_due_messages(clock=timezone.now)
