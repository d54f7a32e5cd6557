"""What the public pages have in common: one address each, and that anybody may keep them."""

from django.conf import settings
from django.templatetags.static import static
from django.utils.cache import patch_cache_control


def canonical_url(request, path: str) -> str:
    """The one address of `path` that search engines should know, whatever host the request named."""
    return settings.SITE_URL.rstrip("/") + path if settings.SITE_URL else request.build_absolute_uri(path)


def describe_address(request) -> dict:
    """What the head of a public page says of its address: `canonical`, and the picture for those who pass it on."""
    return {
        "canonical": canonical_url(request, request.path),
        "share_image": canonical_url(request, static("img/share.png")),
        "share_alt": "Two green hills by a lake, and the words: For runners who hurt and want to keep running",
    }


def keep_public(response):
    """`response`, which anybody may keep if they ask each time whether it is still the same."""
    patch_cache_control(response, public=True, max_age=0, must_revalidate=True)
    return response
