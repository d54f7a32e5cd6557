"""The page that shows one time and books it. The form of a held time is in `pages.hold`."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from booking.presenters.entry import page_before
from booking.presenters.one_time import book, details_context, offer_time


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def details(request: HttpRequest, slug: str, therapist_slug: str, starts_at: datetime) -> HttpResponse:
    """Show a time with a button that holds it. A POST books it with a form that was filled in for another time."""
    now = timezone.now()
    context = details_context(request, slug, therapist_slug, starts_at, now)
    if page := page_before(request, context["service"], context["choices"]):
        return page
    if request.method == "POST":
        return book(request, context, now)
    return offer_time(request, context, now)
