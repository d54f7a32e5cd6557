"""An address that this browser has shown to be its own: by a link mailed there, and a button. Kept as a signed cookie."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from booking.holds import is_live
from booking.own_address import OWN_FOR, ConfirmationEnded, open_confirmation, own_mark
from booking.views.own_hold import held_path, own_hold

COOKIE, SALT = "own_address", "booking.own_address.cookie"


def is_own_address(request: HttpRequest, email: str) -> bool:
    """Whether this browser came by a link that was mailed to `email`."""
    mark = request.get_signed_cookie(COOKIE, default="", salt=SALT, max_age=OWN_FOR)
    return constant_time_compare(mark, own_mark(email))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Ask first, since mail scanners open every link; the button confirms."""
    try:
        email = open_confirmation(token=token, now=timezone.now())
    except ConfirmationEnded:
        return render(request, "practice/link_expired.html", status=410)
    if request.method != "POST":
        response = render(request, "booking/confirm_address.html", {"token": token})
    else:
        response = _remember(request, HttpResponseRedirect(reverse("booking:address_confirmed"), status=303), email)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


@require_safe
@never_cache
def confirmed(request: HttpRequest) -> HttpResponse:
    """Back to the form, which waits in another tab; or to a time that is kept, or to the start."""
    now = timezone.now()
    return render(request, "booking/address_confirmed.html", {"form_path": _form_path(request, now)})


def _form_path(request: HttpRequest, now: datetime) -> str:
    held = own_hold(request)
    return held_path(held) if held is not None and is_live(held, now=now) else reverse("booking:services")


def _remember(request: HttpRequest, response: HttpResponse, email: str) -> HttpResponse:
    response.set_signed_cookie(
        COOKIE,
        own_mark(email),
        salt=SALT,
        max_age=OWN_FOR,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    return response
