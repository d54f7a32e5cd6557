"""Middleware that caches public pages per process, so that a cached article is not rendered again.

A page is cached for readers without a cookie, with the version of the registered models (`public_version`). Each
process reads the version at most once per VERSION_MAX_AGE_S, so a change by any process appears within that time.
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
    """A response as it was sent, and the version for which it was rendered."""

    version: str
    headers: dict[str, str]
    content: bytes


class PublicPages:
    """Respond from the cache, and cache responses that a view marked as public. Replace a 503 by a cached page.

    Follows only the probes in MIDDLEWARE, so that a cached page skips the other middleware.
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
                b""  # Content-Length remains that of a GET; gunicorn logs a warning for each body that it drops
            )
        return response

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        """Return the cached page if it is current, else the site's response, which is cached if it is public."""
        if not is_for_every_reader(request):
            return self.get_response(request)
        encoding, version = accepted_encodings(request)[0], self.current_version()
        key = page_key(request, encoding)
        page: CachedPage | None = caches[CACHE].get(key)
        if page and page.version == version:
            whole = HttpResponse(page.content, headers=page.headers)
            return get_conditional_response(request, etag=page.headers.get("ETag"), response=whole) or whole
        if encoding == "br":
            request.META["HTTP_ACCEPT_ENCODING"] = ""  # rendered uncompressed, then compressed once below
        fresh = self.get_response(request)
        if request.method == "GET" and is_cacheable(fresh):
            if encoding == "br" and not fresh["Content-Type"].startswith("image/"):
                compress(fresh)
            caches[CACHE].set(key, CachedPage(version, dict(fresh.items()), fresh.content))
        return fresh

    def current_version(self) -> str:
        """Return the version, at most VERSION_MAX_AGE_S old.

        During a database outage, returns the last version, so that cached pages are still served. There is no lock,
        since a race costs only one more query.
        """
        if time.monotonic() - self.version_read_at >= VERSION_MAX_AGE_S:
            read_at = time.monotonic()
            try:
                version = read_public_version()
                if self.version and version != self.version:
                    remember_contact(Clinic.objects.current())  # `clinic.start` did this for the first version
                self.version = version
            except (OperationalError, InterfaceError):
                connection.close()
            self.version_read_at = read_at
        return self.version


def is_for_every_reader(request: HttpRequest) -> bool:
    """Whether the page is the same for every reader.

    True for a GET or HEAD of a path under CACHED_UNDER without a cookie or a query string, and not by htmx.
    """
    meta = request.META
    is_plain = not meta.get("QUERY_STRING") and "HTTP_COOKIE" not in meta and "HTTP_HX_REQUEST" not in meta
    return request.method in SAFE and is_plain and request.path_info.startswith(CACHED_UNDER)


def find_fallback(request: HttpRequest) -> CachedPage | None:
    """Return a cached page of any version, to send instead of a 503, or None.

    Ignores the cookies and the query string of the request. None for htmx, and for methods not in SAFE.
    """
    if request.method not in SAFE or "HTTP_HX_REQUEST" in request.META:
        return None
    found = (caches[CACHE].get(page_key(request, encoding)) for encoding in accepted_encodings(request))
    return next((page for page in found if page), None)


def page_key(request: HttpRequest, encoding: str) -> str:
    """Return the cache key of the requested URL in `encoding`. Excludes the port, since a client can send any port."""
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
    """Compress a public `response` with brotli. It has no secret that its length could leak (BREACH)."""
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
