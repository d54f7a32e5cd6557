"""What the clinic is told of its therapists' calendars: one could not be made, or no program reads it any more."""

from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse

from booking.calendar_feed.feeds import silent_feeds
from booking.models import CalendarFeed
from booking.schedule.local_time import clinic_time
from clinic.outbox.messages.alerts import staff_email, why_clinic_unreachable
from clinic.outbox.messages.kinds import Email, MessageKind, register_kind
from clinic.outbox.messages.planning import plan_message
from clinic.outbox.models import Message
from clinic.practice.models import Clinic

FEED_BROKEN = "staff_feed_broken"
USELESS_AFTER = timedelta(days=1)


@transaction.atomic
def note_failure(feed: CalendarFeed, *, now: datetime) -> None:
    """Write down that `feed` could not be made, and tell the clinic: once a day at most, however often it is asked for."""
    CalendarFeed.objects.filter(pk=feed.pk).update(failed_at=now)
    _plan(feed, since=now, now=now)


def tell_of_silent_feeds(*, now: datetime) -> list[Message]:
    """Tell the clinic of each calendar that was read day by day and no longer is: once for each time it falls silent."""
    return [_plan(feed, since=feed.last_read_at, now=now) for feed in silent_feeds(now=now)]


def _plan(feed: CalendarFeed, *, since: datetime, now: datetime) -> Message:
    return plan_message(
        kind=FEED_BROKEN,
        subject_id=feed.pk,
        version=since.date().toordinal(),
        patient=None,
        due_at=now,
        not_after=now + USELESS_AFTER,
        now=now,
    )


def why_unwanted(message: Message, now: datetime) -> str | None:
    """Why nobody needs to know any more; None while the calendar is broken or unread."""
    feed = _find_feed(message)
    if feed is None or feed.revoked_at is not None or not feed.therapist.is_active:
        return "the calendar address has ended"
    if feed.failed_at is None and feed not in silent_feeds(now=now):
        return "the calendar is read again"
    return why_clinic_unreachable()


def render_alert(message: Message, now: datetime) -> Email:
    """Whose calendar, and since when. Not who comes."""
    feed = _find_feed(message)
    return staff_email(
        FEED_BROKEN,
        now=now,
        path=reverse("admin:booking_calendarfeed_changelist"),
        button_text="See the calendar addresses",
        therapist=feed.therapist.name,
        has_failed=feed.failed_at is not None,
        last_read=clinic_time(feed.last_read_at, Clinic.objects.current()) if feed.last_read_at else None,
    )


def register_feed_alert() -> None:
    """Tell the outbox of the kind. Called once, when the app is ready."""
    register_kind(
        MessageKind(
            FEED_BROKEN,
            render_alert,
            why_unwanted,
            respects_quiet_hours=True,
            label="To the clinic: a calendar could not be made",
        )
    )


def _find_feed(message: Message) -> CalendarFeed | None:
    return CalendarFeed.objects.select_related("therapist").filter(pk=message.subject_id).first()
