"""What visitors see while the database is away, also from a web process that was started during the outage."""

from django.http import HttpResponse
from django.shortcuts import render

from clinic.practice.people.contact_card import last_contact
from clinic.start import finish_preparing
from clinic.web.health import Probes

RETRY_AFTER_S = 30


def fault_page(request, *, is_away: bool) -> HttpResponse:
    """503 with the clinic's phone while the database is away, and a hint to ask again; else 500. No query."""
    template = "admin/500.html" if request.path.startswith("/admin/") else "500.html"
    context = {"is_away": is_away, "card": last_contact()}
    response = render(None, template, context, status=503 if is_away else 500)
    if is_away:
        response["Retry-After"] = RETRY_AFTER_S
    return response


class OncePrepared:
    """Answers no page but the probes until this process has checked its encryption keys. Last, so that every header is set."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if finish_preparing() or request.path_info in Probes.views:
            return self.get_response(request)
        return fault_page(request, is_away=True)
