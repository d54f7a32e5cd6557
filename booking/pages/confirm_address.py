"""Pages that confirm an email address through an emailed link."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from booking.actions.confirm_address import ConfirmationEnded, open_confirmation
from booking.actions.hold import is_live
from booking.browser.own_address import remember_own_address
from booking.browser.own_hold import held_path, own_hold
from clinic.responses.headers import private_page
from clinic.responses.redirects import see_other


@require_http_methods(["GET", "HEAD", "POST"])
@private_page
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Ask the visitor to confirm the address. Only a POST sets the cookie, since email scanners open every link.

    Respond 410 if the link has expired. Raises LinkUnknown.
    """
    try:
        email = open_confirmation(token=token, now=timezone.now())
    except ConfirmationEnded:
        return render(request, "practice/link_expired.html", status=410)
    if request.method != "POST":
        return render(request, "booking/confirm_address.html", {"token": token})
    return remember_own_address(request, see_other(reverse("booking:address_confirmed")), email)


@require_safe
@never_cache
def confirmed(request: HttpRequest) -> HttpResponse:
    """Show that the address is confirmed, and link to the form of the browser's live hold, else to the services."""
    now = timezone.now()
    return render(
        request,
        "booking/address_confirmed.html",
        {"form_path": _form_path(request, now)},
    )


def _form_path(request: HttpRequest, now: datetime) -> str:
    held = own_hold(request)
    return held_path(held) if held is not None and is_live(held, now=now) else reverse("booking:services")
