"""Canonical URLs, for search engines and shared links."""

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static


def canonical_url(request: HttpRequest, path: str) -> str:
    """Return the canonical URL of `path`, independent of the host of the request."""
    return settings.SITE_URL.rstrip("/") + path if settings.SITE_URL else request.build_absolute_uri(path)


def describe_address(request: HttpRequest) -> dict:
    """Return the context for the <head> of a public page: `canonical`, and image and alt text for shared links."""
    return {
        "canonical": canonical_url(request, request.path),
        "share_image": canonical_url(request, static("img/share.png")),
        "share_alt": "Two green hills by a lake, and the words: For runners who hurt and want to keep running",
    }
