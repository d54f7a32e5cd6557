"""The line of each page in the audit log, and the page for stored answers that cannot be decrypted."""

import logging
from collections.abc import Callable, Iterator
from typing import cast

from django.db import Error
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from clinic.audit.access import record_page
from clinic.audit.models import Action
from clinic.audit.reading import Reading, collecting
from clinic.audit.sealing import DecryptionFailed
from clinic.audit.unopened import note_unopened

logger = logging.getLogger(__name__)

SHOWS_NOTHING = frozenset({304, 400, 403, 404, 405, 410, 413, 500})  # the site's own error pages have no patient's data
SAFE = ("GET", "HEAD")


class RecordsReading:
    """Write one line to the audit log for each page that shows patients' data, before it is sent.

    If the line cannot be written, the response is a 503 page without that data (fail closed). A form that changes
    something and redirects is a line too, unless the change itself has written one for the same patients. Error pages
    and redirects after a GET show nothing, so they are no line. A streamed response is recorded before its first byte;
    if it loads another patient after that, it breaks off (ReadTooLate).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with collecting(Reading(request)) as reading:
            response = self.get_response(request)
            action = _action_of(request, response)
            try:
                if action is not None:
                    record_page(reading, action=action, now=timezone.now())
            except Error:
                logger.exception("a page was refused, since the audit log cannot be written")
                reading.is_closed = False  # the page below shows no patient
                return render(request, "unrecorded.html", status=503)
        if response.streaming:
            stream = cast(StreamingHttpResponse, response)
            if not stream.is_async:
                stream.streaming_content = _watched(cast(Iterator[bytes], stream.streaming_content), reading)
        return response


def _action_of(request: HttpRequest, response: HttpResponseBase) -> Action | None:
    """Return what the request did with the patients that it loaded, or None if it showed and changed nothing."""
    is_redirect = 300 <= response.status_code < 400
    if response.status_code in SHOWS_NOTHING or (is_redirect and request.method in SAFE):
        return None
    return Action.EXECUTE if is_redirect else Action.READ


def _watched(content: Iterator[bytes], reading: Reading) -> Iterator[bytes]:
    """Yield `content` with `reading`, which is closed, as the current one."""
    with collecting(reading):
        yield from content


class UnopenedPages:
    """Respond to DecryptionFailed in any view with 503. Logs it, and records it for /health/."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DecryptionFailed):
            return None
        logger.error("a page was refused: %s", exception)
        note_unopened(place=exception.place, now=timezone.now())
        return render(request, "unopened.html", status=503)
