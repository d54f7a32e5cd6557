"""Request body limits, checked before the body is read, so that a client cannot fill memory or disk.

The limits are in the settings, by route name. The admin's larger limits are for signed-in staff. Any other client that
posts to such a route is redirected to the sign-in page, and the body is not read. Bodies within the default limit are
never written to disk.
"""

import io
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from wsgiref.types import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

UNKNOWN_LENGTH = 2**62  # for a chunked body over the default limit; exceeds every limit


class BodyLimits:
    """Respond with 413 to a body over the limit of its route. Precedes the CSRF check, which reads the body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> HttpResponse | None:
        assert request.resolver_match is not None  # set before the view runs
        name = request.resolver_match.view_name
        limit = settings.BODY_LIMITS.get(name, settings.BODY_LIMIT)
        is_upload = name in settings.BODY_LIMITS and name.startswith("admin:")
        if is_upload and request.method == "POST" and not request.user.is_staff:
            return HttpResponseRedirect(reverse("admin:login", query={"next": request.path}))
        if content_length(request.META) > limit:
            return render(request, "413.html", {"limit": format_size(limit)}, status=413)
        return None


def format_size(size: int) -> str:
    """Return text like "256 KB" or "21 MB"."""
    return f"{size >> 20} MB" if size >= 1 << 20 else f"{size >> 10} KB"


def content_length(environ: Mapping[str, Any]) -> int:
    """Return the Content-Length in bytes; 0 if it is missing or invalid, as in Django."""
    text = environ.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isdecimal() else 0


class SizedBodies:
    """WSGI wrapper that sets Content-Length for a chunked body, after reading at most the default limit.

    Django ignores a body without a length. Only for servers that set wsgi.input_terminated, such as gunicorn.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if "HTTP_TRANSFER_ENCODING" in environ and environ.get("wsgi.input_terminated"):
            body = read_at_most(environ["wsgi.input"], settings.BODY_LIMIT + 1)
            is_whole = len(body) <= settings.BODY_LIMIT
            environ["CONTENT_LENGTH"] = str(len(body) if is_whole else UNKNOWN_LENGTH)
            environ["wsgi.input"] = io.BytesIO(body)
            del environ["HTTP_TRANSFER_ENCODING"]
        return self.application(environ, start_response)


def read_at_most(stream: InputStream, size: int) -> bytes:
    """Read up to `size` bytes of `stream`."""
    parts, left = [], size
    while left and (part := stream.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
