"""The page for stored answers that cannot be decrypted."""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from clinic.audit.sealing import DecryptionFailed
from clinic.audit.unopened import note_unopened

logger = logging.getLogger(__name__)


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
