"""Error pages during a database outage, even from a web process that started during it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from clinic.practice.people.contact_card import last_contact
from clinic.start import finish_preparing
from clinic.web.health import Probes

RETRY_AFTER_S = 30


def fault_page(request: HttpRequest, *, is_away: bool) -> HttpResponse:
    """Return 503 with the clinic's phone and Retry-After during a database outage, else 500. No query."""
    template = "admin/500.html" if request.path.startswith("/admin/") else "500.html"
    context = {"is_away": is_away, "card": last_contact()}
    response = render(None, template, context, status=503 if is_away else 500)
    if is_away:
        response["Retry-After"] = RETRY_AFTER_S
    return response


class OncePrepared:
    """Respond with 503 to all but the probes until this process has checked its encryption keys.

    Must be last in MIDDLEWARE, so that the others set their headers on the response.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if finish_preparing() or request.path_info in Probes.views:
            return self.get_response(request)
        return fault_page(request, is_away=True)
