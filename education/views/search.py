"""Search the articles."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.views.decorators.http import require_safe
from django_htmx.middleware import HtmxDetails

from clinic.practice.models import Clinic
from clinic.responses.addresses import describe_address
from education.articles.search import search_articles
from education.exercises.library import find_exercises

LONGEST_QUERY = 200


class HtmxRequest(HttpRequest):
    """A request that has passed `HtmxMiddleware`."""

    htmx: HtmxDetails


@require_safe
def search(request: HtmxRequest) -> HttpResponse:
    """Show the search results for `?q=`. Queries are not stored; results are neither cached nor indexed."""
    text = request.GET.get("q", "")[:LONGEST_QUERY].replace("\x00", "").strip()
    context = {
        "text": text,
        "exercises": find_exercises(text, clinic=Clinic.objects.current()),
        "results": search_articles(text, now=timezone.now()) if text else None,
        **describe_address(request),
    }
    template = "education/_search_results.html" if request.htmx else "education/search.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    if text:
        add_never_cache_headers(response)
        response["X-Robots-Tag"] = "noindex"
    return response
