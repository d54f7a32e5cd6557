"""Alerts to the clinic: a calendar feed failed, or is no longer read."""

from datetime import datetime, timedelta

from django.db import transaction

from booking.calendar_feed.feeds import silent_feeds
from booking.messages.names import FEED_BROKEN
from booking.models import CalendarFeed
from clinic.outbox.messages.planning import plan_message
from clinic.outbox.models import Message

USELESS_AFTER = timedelta(days=1)
OF_FAILURES = 10_000_000  # added to the day of a failure: it may be the day since which the feed is silent


@transaction.atomic
def note_failure(feed: CalendarFeed, *, now: datetime) -> None:
    """Record that the feed failed. Alert the clinic, at most once a day."""
    CalendarFeed.objects.filter(pk=feed.pk).update(failed_at=now)
    _plan(feed, version=OF_FAILURES + now.date().toordinal(), now=now)


def alert_about_silent_feeds(*, now: datetime) -> list[Message]:
    """Alert the clinic about each feed that is no longer read, once per silent period."""
    found = [(feed, (feed.last_read_at or now).date()) for feed in silent_feeds(now=now)]
    return [_plan(feed, version=last_read.toordinal(), now=now) for feed, last_read in found]


def _plan(feed: CalendarFeed, *, version: int, now: datetime) -> Message:
    return plan_message(
        kind=FEED_BROKEN,
        subject_id=feed.pk,
        version=version,
        patient=None,
        due_at=now,
        not_after=now + USELESS_AFTER,
        now=now,
    )
