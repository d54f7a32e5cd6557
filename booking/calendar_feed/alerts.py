"""Alerts to the clinic: a therapist's calendar could not be made, or no program reads it."""

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
    """Write down that `feed` could not be made, and tell the clinic: once a day at most, however often it is asked for."""
    CalendarFeed.objects.filter(pk=feed.pk).update(failed_at=now)
    _plan(feed, since=now, now=now)


def tell_of_silent_feeds(*, now: datetime) -> list[Message]:
    """Tell the clinic of each calendar that was read day by day and no longer is: once for each time it falls silent."""
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
