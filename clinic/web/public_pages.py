"""Public pages, kept as they were sent, so that a reader of an article waits for no query and no template.

A page is kept per process and only for readers without a cookie, as long as nothing that any public page shows has changed: a
fingerprint of those tables is taken at most twice a second, so a change of any kind, from any process, shows within a second.
"""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

import brotli
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers

from clinic.practice.models import Clinic
from clinic.practice.people.contact_card import remember_contact

LOOK_EVERY_S = 0.5
MOST_PAGES = 1000  # of some 15 KB each
KEPT_UNDER = ("/learn/", "/sitemap.xml")

# xmin changes with every write of a row, by whatever way it came; an article may also come out because its time has come.
FINGERPRINT = """
    SELECT concat_ws(' ',
        (SELECT concat(count(*), ' ', sum(hashtextextended(concat(xmin, id), 0)),
                       ' ', count(*) FILTER (WHERE status = 'published' AND published_at <= statement_timestamp()))
           FROM education_article),
        (SELECT concat(count(*), ' ', sum(hashtextextended(concat(xmin, id), 0))) FROM education_topic),
        (SELECT concat(count(*), ' ', sum(hashtextextended(concat(xmin, id), 0))) FROM education_formerslug),
        (SELECT concat(count(*), ' ', sum(hashtextextended(concat(xmin, id), 0))) FROM practice_clinic),
        (SELECT concat(count(*), ' ', sum(hashtextextended(concat(xmin, id), 0))) FROM practice_therapist),
        (SELECT concat(count(*), ' ', sum(hashtextextended(concat(xmin, id), 0))) FROM booking_service),
        (SELECT concat(count(*), ' ', sum(hashtextextended(concat(xmin, id), 0))) FROM booking_service_therapists))
"""


@dataclass(frozen=True)
class KeptPage:
    """A response as it was sent, and the fingerprint it was made under."""

    fingerprint: str
    headers: dict[str, str]
    content: bytes


class PublicPages:
    """Answers from what is kept; keeps what a view has marked as public. Stands first, so that nothing else has to run."""

    def __init__(self, get_response):
        self.get_response = get_response
        self.pages: OrderedDict[tuple, KeptPage] = OrderedDict()
        self.lock = threading.Lock()
        self.fingerprint, self.looked_at = "", float("-inf")

    def __call__(self, request):
        response = self.answer(request)
        kept = self.find_kept(request) if response.status_code == 503 else None
        return HttpResponse(kept.content, headers=kept.headers) if kept else response

    def find_kept(self, request) -> KeptPage | None:
        """The public page that was kept for any reader, for one with a cookie or a query while the database is away."""
        if request.method != "GET" or "HTTP_HX_REQUEST" in request.META:
            return None
        found = (self.pages.get(address_key(request, encoding)) for encoding in encodings_for(request))
        return next((page for page in found if page), None)

    def answer(self, request):
        """The kept page if it is still so, else what the site answers."""
        key = page_key(request)
        if key is None:
            return self.get_response(request)
        fingerprint = self.look()
        page = self.pages.get(key)
        if page is None or page.fingerprint != fingerprint:
            if takes_brotli(request):
                request.META["HTTP_ACCEPT_ENCODING"] = (
                    ""  # it comes plain, and is compressed here once for all its readers
                )
            response = self.get_response(request)
            if is_keepable(response):
                if key[-1] == "br" and not response["Content-Type"].startswith("image/"):
                    compress(response)
                self.keep(key, KeptPage(fingerprint, dict(response.items()), response.content))
            return response
        response = HttpResponse(page.content, headers=page.headers)
        return get_conditional_response(request, etag=page.headers.get("ETag"), response=response)

    def look(self) -> str:
        """The fingerprint of what public pages show, not older than LOOK_EVERY_S; while the database is away, the last one:
        an article that was kept can still be read."""
        if time.monotonic() - self.looked_at >= LOOK_EVERY_S:
            looked_at = time.monotonic()
            try:
                with connection.cursor() as cursor:
                    cursor.execute(FINGERPRINT)
                    fingerprint = cursor.fetchone()[0]
                if self.fingerprint and fingerprint != self.fingerprint:
                    remember_contact(Clinic.objects.current())  # the start of the process has kept the first
                self.fingerprint = fingerprint
            except (OperationalError, InterfaceError):
                connection.close()
            self.looked_at = looked_at
        return self.fingerprint

    def keep(self, key: tuple, page: KeptPage) -> None:
        """Keep `page`, and forget the oldest if there are too many."""
        with self.lock:
            self.pages[key] = page
            self.pages.move_to_end(key)
            if len(self.pages) > MOST_PAGES:
                self.pages.popitem(last=False)


def page_key(request) -> tuple | None:
    """What a kept page depends on; None where a page may be meant for one reader only."""
    meta = request.META
    is_plain = request.method == "GET" and not meta.get("QUERY_STRING") and "HTTP_COOKIE" not in meta
    if not is_plain or not request.path_info.startswith(KEPT_UNDER) or "HTTP_HX_REQUEST" in meta:
        return None
    return address_key(request, encodings_for(request)[0])


def address_key(request, encoding: str) -> tuple:
    """The address as it was asked for, and the encoding of the page."""
    return request.META.get("HTTP_HOST"), request.scheme, request.path_info, encoding


def encodings_for(request) -> list[str]:
    """The encodings that pages are kept in and this reader's browser understands, smallest first."""
    is_gzip = "gzip" in request.META.get("HTTP_ACCEPT_ENCODING", "")
    return [*(["br"] if takes_brotli(request) else []), *(["gzip"] if is_gzip else []), ""]


def takes_brotli(request) -> bool:
    """Whether the reader's browser understands brotli, which makes an article a quarter smaller than gzip does."""
    encodings = (part.strip() for part in request.META.get("HTTP_ACCEPT_ENCODING", "").split(","))
    return "br" in encodings


def compress(response) -> None:
    """Compress a public `response`: it holds nothing secret, so its length gives nothing away."""
    response.content = brotli.compress(response.content, mode=brotli.MODE_TEXT, quality=11)
    response["Content-Length"] = str(len(response.content))
    response["Content-Encoding"] = "br"
    patch_vary_headers(response, ["Accept-Encoding"])
    if etag := response.get("ETag"):
        response["ETag"] = etag if etag.startswith("W/") else f"W/{etag}"


def is_keepable(response) -> bool:
    """Whether a view has said that anybody may have this very response."""
    return (
        response.status_code == 200
        and "public" in response.get("Cache-Control", "")
        and "cookie" not in response.get("Vary", "").lower()
        and not response.cookies
        and not response.streaming
    )
