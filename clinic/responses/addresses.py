"""The public address of a page, for search engines and for links that people share."""

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static


def canonical_url(request: HttpRequest, path: str) -> str:
    """The one address of `path` that search engines should know, whatever host the request named."""
    return settings.SITE_URL.rstrip("/") + path if settings.SITE_URL else request.build_absolute_uri(path)


def describe_address(request: HttpRequest) -> dict:
    """What the head of a public page says of its address: `canonical`, and the picture for those who pass it on."""
    return {
        "canonical": canonical_url(request, request.path),
        "share_image": canonical_url(request, static("img/share.png")),
        "share_alt": "Two green hills by a lake, and the words: For runners who hurt and want to keep running",
    }
