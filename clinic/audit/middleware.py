"""The page for answers that are there but do not open."""

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from clinic.responses.middleware import GetResponse

from .sealing import DecryptionFailed
from .unopened import note_unopened

logger = logging.getLogger(__name__)


class UnopenedPages:
    """`DecryptionFailed` becomes 503 in plain words, a line in the log and an alarm on /health/, for every view."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DecryptionFailed):
            return None
        logger.error("a page was refused: %s", exception)
        note_unopened(place=exception.place, now=timezone.now())
        return render(request, "unopened.html", status=503)
