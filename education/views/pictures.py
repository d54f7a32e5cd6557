"""Uploaded pictures."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from education.models import PictureSize

A_YEAR_S = 365 * 24 * 60 * 60


@require_safe
def picture(request: HttpRequest, name: str, width: int) -> HttpResponse:
    """Return a picture in one width. Immutable: the content at a URL never changes."""
    size = get_object_or_404(PictureSize, picture__name=name, width=width)
    response = HttpResponse(size.content, content_type="image/webp")
    patch_cache_control(response, public=True, max_age=A_YEAR_S, immutable=True)
    return response
