"""Middleware that caches public pages per process, so that an article takes no query and no template.

A page is cached for readers without a cookie, under the version of the registered models (`public_version`). Each process
reads the version every VERSION_MAX_AGE_S at most, so a change by any process shows within that time.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeGuard

import brotli
from django.core.cache import caches
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers

from clinic.practice.models import Clinic
from clinic.practice.people.contact_card import remember_contact
from clinic.web.public_version import read_public_version

VERSION_MAX_AGE_S = 0.5
CACHE = "public_pages"  # in settings.CACHES
SAFE = ("GET", "HEAD")
CACHED_UNDER = ("/learn/", "/sitemap.xml")


@dataclass(frozen=True)
class CachedPage:
    """A response as it was sent, and the version it was rendered under."""

    version: str
    headers: dict[str, str]
    content: bytes


class PublicPages:
    """Answers from the cache, and caches what a view marked as public.

    First in the list, so that a cached page runs no other middleware.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.version, self.version_read_at = "", float("-inf")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.answer(request)
        if response.status_code == 503 and (fallback := find_fallback(request)):
            response = HttpResponse(fallback.content, headers=fallback.headers)
        if request.method == "HEAD" and isinstance(response, HttpResponse):
            response.content = (
                b""  # Content-Length stays that of a GET; gunicorn warns of each body that it has to drop
            )
        return response

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        """Return the cached page if it is current, else the response of the site, cached if it is public."""
        if not is_for_every_reader(request):
            return self.get_response(request)
        encoding, version = accepted_encodings(request)[0], self.current_version()
        key = page_key(request, encoding)
        page: CachedPage | None = caches[CACHE].get(key)
        if page and page.version == version:
            whole = HttpResponse(page.content, headers=page.headers)
            return get_conditional_response(request, etag=page.headers.get("ETag"), response=whole) or whole
        if encoding == "br":
            request.META["HTTP_ACCEPT_ENCODING"] = ""  # rendered plain; compressed here, once for all readers
        fresh = self.get_response(request)
        if request.method == "GET" and is_cacheable(fresh):
            if encoding == "br" and not fresh["Content-Type"].startswith("image/"):
                compress(fresh)
            caches[CACHE].set(key, CachedPage(version, dict(fresh.items()), fresh.content))
        return fresh

    def current_version(self) -> str:
        """Return the version, at most VERSION_MAX_AGE_S old; during a database outage the last one, so that cached pages
        are still served. Not locked: a race costs one more query."""
        if time.monotonic() - self.version_read_at >= VERSION_MAX_AGE_S:
            read_at = time.monotonic()
            try:
                version = read_public_version()
                if self.version and version != self.version:
                    remember_contact(Clinic.objects.current())  # the first was remembered when the process started
                self.version = version
            except (OperationalError, InterfaceError):
                connection.close()
            self.version_read_at = read_at
        return self.version


def is_for_every_reader(request: HttpRequest) -> bool:
    """Whether the page cannot depend on the reader: it is under CACHED_UNDER, asked without a cookie or a query string."""
    meta = request.META
    is_plain = not meta.get("QUERY_STRING") and "HTTP_COOKIE" not in meta and "HTTP_HX_REQUEST" not in meta
    return request.method in SAFE and is_plain and request.path_info.startswith(CACHED_UNDER)


def find_fallback(request: HttpRequest) -> CachedPage | None:
    """Find a cached page for a request that met a database outage, of any version and also for a reader with a cookie."""
    if request.method not in SAFE or "HTTP_HX_REQUEST" in request.META:
        return None
    found = (caches[CACHE].get(page_key(request, encoding)) for encoding in accepted_encodings(request))
    return next((page for page in found if page), None)


def page_key(request: HttpRequest, encoding: str) -> str:
    """Return the cache key of the requested address in `encoding`. Any port may be asked for, so it is no part of the key."""
    host, _ = split_domain_port(request.META.get("HTTP_HOST", ""))
    parts = (host, request.scheme or "", request.path_info, encoding)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def accepted_encodings(request: HttpRequest) -> list[str]:
    """Return the encodings of cached pages that the browser accepts, smallest first; "" is uncompressed.

    Brotli makes an article a quarter smaller than gzip does.
    """
    accepted = request.META.get("HTTP_ACCEPT_ENCODING", "")
    is_brotli = "br" in (part.strip() for part in accepted.split(","))
    return [*(["br"] if is_brotli else []), *(["gzip"] if "gzip" in accepted else []), ""]


def compress(response: HttpResponse) -> None:
    """Compress a public `response` with brotli. It holds no secret that its length could leak (BREACH)."""
    response.content = brotli.compress(response.content, mode=brotli.MODE_TEXT, quality=11)
    response["Content-Length"] = str(len(response.content))
    response["Content-Encoding"] = "br"
    patch_vary_headers(response, ["Accept-Encoding"])
    if etag := response.get("ETag"):
        response["ETag"] = etag if etag.startswith("W/") else f"W/{etag}"


def is_cacheable(response: HttpResponseBase) -> TypeGuard[HttpResponse]:
    """Whether a view marked this response as public, the same for every reader."""
    return (
        isinstance(response, HttpResponse)
        and response.status_code == 200
        and "public" in response.get("Cache-Control", "")
        and "cookie" not in response.get("Vary", "").lower()
        and not response.cookies
    )
