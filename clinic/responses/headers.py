"""Caching and indexing headers."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.cache import never_cache


def private_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorate a view whose responses no cache may store and no search engine may index."""

    @wraps(view)
    @never_cache
    def private(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return private


def keep_public(response: HttpResponse) -> HttpResponse:
    """Let shared caches store `response` and revalidate it on each request."""
    patch_cache_control(response, public=True, max_age=0, must_revalidate=True)
    return response
