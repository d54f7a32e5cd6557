"""What holds for whole parts of the site: links that no longer open, and whose clock the admin goes by."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from clinic.practice.access.links import LinkExpired, LinkUnknown

from .models import Clinic, LinkPurpose, PatientLink, reading_clinic_once


class ClinicReadOnce:
    """One query for the clinic's row per GET or HEAD request. Other methods read it each time: they need it as of their locks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return self.get_response(request)
        with reading_clinic_once():
            return self.get_response(request)


class BrokenLinkPages:
    """`LinkUnknown` becomes 404 and `LinkExpired` 410, for every view that simply calls `open_link`."""

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
    """The token of a link to a visit that was withdrawn, as by a move: its page offers to email the newest one."""
    is_replaced = link.purpose == LinkPurpose.VISIT and link.revoked_at is not None
    return request.resolver_match.kwargs.get("token", "") if is_replaced and request.resolver_match else ""


class AdminByClinicClock:
    """In the admin, days and times are typed and shown by the clinic's clock, whatever zone the server is in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(reverse("admin:index")):
            return self.get_response(request)
        with timezone.override(Clinic.objects.current().zone):
            return self.get_response(request)
