"""A web process and its cached pages."""

import pickle

from django.core.cache import caches
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

from clinic.web.public_pages import CACHE, CachedPage

PATH = "/learn/sore-hip/"


class Process:
    """A web process with its own version of public pages. It sends no cookie header unless one is given."""

    def __init__(self):
        self.handler = WSGIHandler()

    def read(self, path=PATH, as_bytes=False, **environ):
        request = RequestFactory().get(path).environ | {"HTTP_HOST": "localhost", **environ}
        if "HTTP_COOKIE" not in environ:
            request.pop("HTTP_COOKIE", None)
        answer = {}

        def start_response(status, headers, exc_info=None):
            answer["status"], answer["headers"] = int(status[:3]), dict(headers)

        response = self.handler(request, start_response)
        content = b"".join(response)
        answer["text"] = content if as_bytes else content.decode(errors="replace")
        response.close()
        return answer


def cached_pages() -> list[CachedPage]:
    """Return all cached pages."""
    return [pickle.loads(page) for page in caches[CACHE]._cache.values()]
