"""Middleware of staff pages: ends idle and long sessions, and asks for a second step."""

from collections.abc import Callable

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from clinic.audit.models import SignInKind
from clinic.practice.access.staff import staff_of
from clinic.responses.htmx import is_htmx
from clinic.responses.redirects import see_other
from clinic.staff.second_factor import has_second_factor, needs_second_factor
from clinic.staff.sign_in.session_limits import FACTOR, Ended, note_use, signed_in_at, why_ended
from clinic.staff.sign_in.sign_out import clear_site_data
from clinic.staff.sign_in.throttle import finish_throttled, remember_browser

METHODS = ("GET", "HEAD", "POST")


class StaffSessions:
    """Limits on the sessions of staff, for pages of the admin and of staff accounts."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    @cached_property
    def pages(self) -> tuple[str, ...]:
        return reverse("admin:index"), reverse("account_login").removesuffix("sign-in/")

    @cached_property
    def open_pages(self) -> tuple[str, ...]:
        """The pages that a member of staff can use before adding a second step."""
        return reverse("mfa_index"), *(reverse(name) for name in OPEN_NAMES)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(self.pages):
            return self.get_response(request)
        if request.method not in METHODS:  # allauth's and Django's views treat PUT and DELETE as POST
            return HttpResponseNotAllowed(METHODS)
        if is_htmx(request) and request.path == reverse("account_login"):
            return HttpResponse(headers={"HX-Refresh": "true"})  # htmx asked for a part of a page
        now = timezone.now()
        if request.user.is_authenticated:
            if ended := why_ended(request, now=now):
                return _end(request, ended)
            if not request.session.get(FACTOR) and needs_second_factor(user := staff_of(request)):
                if has_second_factor(user):  # added by another session: this one has only shown the password
                    return _end(request, Ended.FACTOR)
                if not request.path.startswith(self.open_pages):
                    return see_other(reverse("mfa_index"))
        response = finish_throttled(request, self.get_response(request))
        if request.user.is_authenticated and signed_in_at(request.session):
            note_use(request, response, now=now)
            if getattr(request, "has_new_password", False):
                remember_browser(request, response, staff_of(request))
        return response


OPEN_NAMES = ("account_login", "account_logout", "account_reauthenticate", "admin:logout", "staff_still_here")


def _end(request: HttpRequest, ended: Ended) -> HttpResponse:
    """Sign out, and redirect to the sign-in, which explains why and leads back to the page if it can be opened again."""
    request.sign_out_kind = SignInKind.TIMED_OUT  # type: ignore[attr-defined]
    logout(request)
    query = {"ended": ended.value}
    if request.method == "GET":
        query["next"] = request.get_full_path()
    return clear_site_data(see_other(reverse("account_login", query=query)))
