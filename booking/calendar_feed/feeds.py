"""A therapist's calendar feed at a secret URL, for the calendar app on their phone.

It contains the time and mode of each visit, but never the patient or a reason, because calendars are synced and shared.
"""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import F
from icalendar import Calendar, Event

from booking.models import Appointment, CalendarFeed
from booking.schedule.local_time import format_place
from clinic.practice.batches import BATCH, delete_batch
from clinic.practice.models import Clinic, Therapist, User

PRODUCT = "-//Runclinic//Schedule//EN"
RECORDED_EVERY = timedelta(hours=1)
REGULAR_AFTER_DAYS, SILENT_AFTER = 3, timedelta(days=2)
LISTED_FOR = timedelta(days=90)  # after a feed is revoked, so that staff can explain an empty calendar
SHOWS_BACK, SHOWS_AHEAD = timedelta(days=31), timedelta(days=400)


class FeedUnknown(Exception):
    """No feed has this token, or it was revoked, or its therapist is inactive."""


def create_feed(*, therapist: Therapist, by: User, now: datetime) -> str:
    """Create a feed for `therapist` and return its token. Only a hash is stored, so the token cannot be shown again."""
    token = secrets.token_urlsafe(32)
    CalendarFeed.objects.create(therapist=therapist, token_hash=_hash(token), created_by=by, created_at=now)
    return token


def revoke_feed(feed: CalendarFeed, *, now: datetime) -> None:
    """Revoke the URL. Calendar apps get a 404 from now on."""
    CalendarFeed.objects.filter(pk=feed.pk, revoked_at=None).update(revoked_at=now)


def delete_expired_feeds(*, now: datetime, limit: int = BATCH) -> int:
    """Delete at most `limit` feeds that were revoked at least `LISTED_FOR` ago. Return their number."""
    return delete_batch(CalendarFeed.objects.filter(revoked_at__lte=now - LISTED_FOR), limit=limit)


def open_feed(*, token: str) -> CalendarFeed:
    """Find the feed of `token`. Raises FeedUnknown, also if it is revoked or its therapist is inactive."""
    feeds = CalendarFeed.objects.filter(revoked_at=None, therapist__is_active=True).select_related("therapist")
    feed = feeds.filter(token_hash=_hash(token)).first()
    if feed is None:
        raise FeedUnknown
    return feed


def note_reading(feed: CalendarFeed, *, now: datetime) -> None:
    """Record that a calendar app read the feed.

    Apps poll every few minutes, so this writes at most once per `RECORDED_EVERY`, and at the first success after a
    failure.
    """
    is_fresh = feed.last_read_at is not None and now - feed.last_read_at < RECORDED_EVERY
    if is_fresh and feed.failed_at is None:
        return
    is_new_day = feed.last_read_at is None or feed.last_read_at.astimezone(UTC).date() != now.astimezone(UTC).date()
    CalendarFeed.objects.filter(pk=feed.pk).update(
        last_read_at=now, days_read=F("days_read") + int(is_new_day), failed_at=None
    )


def silent_feeds(*, now: datetime) -> list[CalendarFeed]:
    """Return the feeds that were read on at least `REGULAR_AFTER_DAYS` days, but not for `SILENT_AFTER`.

    The therapist's phone then shows an old schedule.
    """
    in_use = CalendarFeed.objects.filter(revoked_at=None, therapist__is_active=True).select_related("therapist")
    return list(in_use.filter(days_read__gte=REGULAR_AFTER_DAYS, last_read_at__lte=now - SILENT_AFTER))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def therapist_calendar(*, therapist: Therapist, clinic: Clinic, now: datetime) -> bytes:
    """Return a therapist's visits, from `SHOWS_BACK` ago to `SHOWS_AHEAD` from now, as a calendar (METHOD:PUBLISH).

    Holds and canceled visits are omitted. Encoded as UTF-8; instants are in UTC.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", f"{clinic.name}: visits")
    shown = (Appointment.Status.BOOKED, Appointment.Status.COMPLETED, Appointment.Status.NO_SHOW)
    visits = Appointment.objects.filter(
        therapist=therapist, status__in=shown, ends_at__gt=now - SHOWS_BACK, starts_at__lt=now + SHOWS_AHEAD
    )
    for visit in visits.order_by("starts_at"):
        calendar.add_component(_visit_event(visit, clinic, now))
    return calendar.to_ical()


def _visit_event(visit: Appointment, clinic: Clinic, now: datetime) -> Event:
    event = Event()
    # Not the UID of the patient's invitation, which would link the two calendars.
    event.add("uid", f"{hashlib.sha256(visit.pk.bytes).hexdigest()}@{urlsplit(settings.SITE_URL).hostname}")
    event.add("sequence", visit.sequence)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", visit.starts_at.astimezone(UTC))
    event.add("dtend", visit.ends_at.astimezone(UTC))
    event.add("summary", f"Visit, {visit.visit_mode.label}")
    if visit.visit_mode.is_at_clinic:
        event.add("location", format_place(visit.visit_mode, clinic))
    event.add("class", "PRIVATE")
    event.add("transp", "OPAQUE")
    return event
