"""Requests by htmx, which expects a part of a page."""

from django.http import HttpRequest


def is_htmx(request: HttpRequest) -> bool:
    """Whether htmx made the request. Whoever answers a GET by it also varies the cache by HX-Request."""
    return request.headers.get("HX-Request") == "true"
