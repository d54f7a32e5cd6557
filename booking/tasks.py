"""Periodic tasks of booking. Their schedule is in `clinic.celery`."""

from celery import shared_task
from django.utils import timezone

from booking.actions.attend import complete_visits
from booking.calendar_feed.alerts import alert_about_silent_feeds
from booking.wait_list.stuck_entries import tell_stuck_patients


@shared_task(name="booking.tasks.complete_arrived_visits")
def complete_arrived_visits() -> None:
    complete_visits(now=timezone.now())


@shared_task(name="booking.tasks.look_for_silent_feeds")
def look_for_silent_feeds() -> None:
    alert_about_silent_feeds(now=timezone.now())


@shared_task(name="booking.tasks.look_for_stuck_waits")
def look_for_stuck_waits() -> None:
    tell_stuck_patients(now=timezone.now())
