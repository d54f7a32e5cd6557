"""How large the body of a request may be: refused before it is read, so that a stranger can fill neither memory nor disk.

The limits are in the settings, by the name of the route. The larger ones in the admin are for staff who are logged in;
everyone else is sent to log in, unread. What is within the default limit never touches the disk.
"""

import io

from django.conf import settings
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

UNKNOWN_LENGTH = 2**62  # more than any limit: a body without a length that was too long to be taken


class BodyLimits:
    """Refuses what is larger than its route allows. Stands before the CSRF check, which would read the body."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        name = request.resolver_match.view_name
        limit = settings.BODY_LIMITS.get(name, settings.BODY_LIMIT)
        is_upload = name in settings.BODY_LIMITS and name.startswith("admin:")
        if is_upload and request.method == "POST" and not request.user.is_staff:
            return HttpResponseRedirect(reverse("admin:login", query={"next": request.path}))
        if content_length(request.META) > limit:
            return render(request, "413.html", {"limit": size_words(limit)}, status=413)
        return None


def size_words(size: int) -> str:
    """Like "256 KB" or "21 MB"."""
    return f"{size >> 20} MB" if size >= 1 << 20 else f"{size >> 10} KB"


def content_length(environ: dict) -> int:
    """What the request says of its length, in bytes; 0 for nothing, as Django reads it."""
    text = environ.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isdecimal() else 0


class SizedBodies:
    """Wraps a WSGI application: gives a body that comes in chunks a length, reading no more of it than the default limit.

    Django reads nothing of a body without a length. Only for servers that mark the end of the body, as gunicorn does.
    """

    def __init__(self, application):
        self.application = application

    def __call__(self, environ, start_response):
        if "HTTP_TRANSFER_ENCODING" in environ and environ.get("wsgi.input_terminated"):
            body = read_at_most(environ["wsgi.input"], settings.BODY_LIMIT + 1)
            is_whole = len(body) <= settings.BODY_LIMIT
            environ["CONTENT_LENGTH"] = str(len(body) if is_whole else UNKNOWN_LENGTH)
            environ["wsgi.input"] = io.BytesIO(body)
            del environ["HTTP_TRANSFER_ENCODING"]
        return self.application(environ, start_response)


def read_at_most(stream, size: int) -> bytes:
    """The first `size` bytes of `stream`, fewer where it ends before."""
    parts, left = [], size
    while left and (part := stream.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
