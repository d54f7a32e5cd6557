"""Middleware: error pages of patient links, the clinic's row cached per request, the admin's time zone."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from clinic.practice.access.links import LinkExpired, LinkUnknown
from clinic.practice.models import Clinic, LinkPurpose, PatientLink, reading_clinic_once


class ClinicReadOnce:
    """Read the clinic's row at most once per GET or HEAD request.

    Requests of other methods read it at each use, since it can change while they wait for locks.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return self.get_response(request)
        with reading_clinic_once():
            return self.get_response(request)


class BrokenLinkPages:
    """Respond to LinkUnknown in any view with 404, to LinkExpired with 410."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, LinkUnknown):
            return render(request, "practice/link_unknown.html", status=404)
        if isinstance(exception, LinkExpired):
            context = {"replaced_token": _replaced_token(request, exception.link)}
            return render(request, "practice/link_expired.html", context, status=410)
        return None


def _replaced_token(request: HttpRequest, link: PatientLink) -> str:
    """Return the token of a revoked link to a visit, else "". With it, the page offers to email the newest link."""
    is_replaced = link.purpose == LinkPurpose.VISIT and link.revoked_at is not None
    return request.resolver_match.kwargs.get("token", "") if is_replaced and request.resolver_match else ""


class AdminByClinicClock:
    """Set the clinic's time zone for pages of the admin."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(reverse("admin:index")):
            return self.get_response(request)
        with timezone.override(Clinic.objects.current().zone):
            return self.get_response(request)
