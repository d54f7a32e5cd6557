"""The signed cookie for the email address that this browser has confirmed through an emailed link."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from booking.actions.confirm_address import OWN_FOR, own_mark

COOKIE, SALT = settings.COOKIE_PREFIX + "own_address", "booking.own_address.cookie"


def is_own_address(request: HttpRequest, email: str) -> bool:
    """Whether this browser has confirmed the mailbox of `email` within `OWN_FOR`. Only the last one is remembered."""
    mark = request.get_signed_cookie(COOKIE, default="", salt=SALT, max_age=OWN_FOR) or ""
    return constant_time_compare(mark, own_mark(email))


def remember_own_address(request: HttpRequest, response: HttpResponse, email: str) -> HttpResponse:
    """Set the cookie for `email` on `response`."""
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
