"""The therapist's own calendar, for a calendar program."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from booking.feeds import FeedUnknown, open_feed, therapist_calendar
from clinic.practice.models import Clinic


@require_safe
@never_cache
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The visits without names. An address that is unknown or was revoked does not exist."""
    try:
        therapist = open_feed(token=token).therapist
    except FeedUnknown:
        raise Http404 from None
    content = therapist_calendar(therapist=therapist, clinic=Clinic.objects.current(), now=timezone.now())
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
