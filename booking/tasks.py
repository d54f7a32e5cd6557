"""What is looked for now and then; the schedule stands in `clinic.celery`."""

from celery import shared_task
from django.utils import timezone

from booking.feed_alerts import tell_of_silent_feeds


@shared_task(name="booking.tasks.look_for_silent_feeds")
def look_for_silent_feeds():
    tell_of_silent_feeds(now=timezone.now())
