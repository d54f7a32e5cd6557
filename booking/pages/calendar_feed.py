"""The feed of a therapist's visits for a calendar app."""

import logging

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from booking.calendar_feed.alerts import note_failure
from booking.calendar_feed.feeds import FeedUnknown, note_reading, open_feed, therapist_calendar
from clinic.practice.models import Clinic
from clinic.responses.headers import private_page

logger = logging.getLogger(__name__)


@require_safe
@private_page
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """Return the therapist's visits as an iCalendar file, without patients' names.

    Record when it is read, so that the clinic can be alerted if calendar apps stop fetching the feed. If the file
    cannot be created, alert the clinic and respond 503. Raises Http404 for an unknown or revoked URL, or if the
    therapist is inactive.
    """
    now = timezone.now()
    try:
        calendar_feed = open_feed(token=token)
    except FeedUnknown:
        raise Http404 from None
    try:
        content = therapist_calendar(therapist=calendar_feed.therapist, clinic=Clinic.objects.current(), now=now)
    except Exception:  # such as one bad visit: the calendar app keeps its copy, and staff are alerted
        logger.exception("a calendar could not be created")
        note_failure(calendar_feed, now=now)
        return HttpResponse(status=503, headers={"Retry-After": "3600"})
    note_reading(calendar_feed, now=now)
    return HttpResponse(content, content_type="text/calendar; charset=utf-8")
