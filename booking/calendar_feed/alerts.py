"""Alerts to the clinic: a calendar feed failed, or is no longer read."""

from datetime import datetime, timedelta

from django.db import transaction

from booking.calendar_feed.feeds import silent_feeds
from booking.messages.names import FEED_BROKEN
from booking.models import CalendarFeed
from clinic.outbox.messages.planning import plan_message
from clinic.outbox.models import Message

USELESS_AFTER = timedelta(days=1)


@transaction.atomic
def note_failure(feed: CalendarFeed, *, now: datetime) -> None:
    """Record that the feed failed. Alert the clinic, at most once a day."""
    CalendarFeed.objects.filter(pk=feed.pk).update(failed_at=now)
    _plan(feed, since=now, now=now)


def alert_about_silent_feeds(*, now: datetime) -> list[Message]:
    """Alert the clinic about each feed that is no longer read, once per silent period."""
    return [_plan(feed, since=feed.last_read_at, now=now) for feed in silent_feeds(now=now)]


def _plan(feed: CalendarFeed, *, since: datetime | None, now: datetime) -> Message:
    return plan_message(
        kind=FEED_BROKEN,
        subject_id=feed.pk,
        version=(since or now).date().toordinal(),
        patient=None,
        due_at=now,
        not_after=now + USELESS_AFTER,
        now=now,
    )
