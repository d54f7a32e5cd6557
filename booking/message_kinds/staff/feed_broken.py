"""The email that tells the clinic that a calendar feed failed or is no longer read.

It names the therapist, never a patient.
"""

from datetime import datetime

from django.urls import reverse

from booking.calendar_feed.feeds import silent_feeds
from booking.messages.names import FEED_BROKEN
from booking.models import CalendarFeed
from booking.schedule.local_time import clinic_time
from clinic.outbox.messages.alerts import staff_email, why_clinic_unreachable
from clinic.outbox.messages.kinds import Email, MessageKind, TemplateText
from clinic.outbox.models import Message
from clinic.practice.models import Clinic

READ_AGAIN = "the calendar is read again"
_feeds = CalendarFeed.objects.select_related("therapist")


def _why_unwanted(message: Message, now: datetime) -> str | None:
    feed = _feeds.filter(pk=message.subject_id).first()
    if feed is None or feed.revoked_at is not None or not feed.therapist.is_active:
        return "the calendar address has ended"
    if feed.failed_at is None and feed not in silent_feeds(now=now):
        return READ_AGAIN
    return why_clinic_unreachable()


def _render(message: Message, template: TemplateText | None, now: datetime) -> Email:
    feed = _feeds.get(pk=message.subject_id)
    return staff_email(
        FEED_BROKEN,
        path=reverse("admin:booking_calendarfeed_changelist"),
        button_text="See the calendar addresses",
        therapist=feed.therapist.name,
        has_failed=feed.failed_at is not None,
        last_read=clinic_time(feed.last_read_at, Clinic.objects.current()) if feed.last_read_at else None,
    )


KIND = MessageKind(
    name=FEED_BROKEN,
    title="To the clinic: a calendar could not be created",
    render=_render,
    relevance=_why_unwanted,
    respects_quiet_hours=True,
)
