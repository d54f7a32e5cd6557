"""The hold of this browser: a signed cookie for ten minutes, so that choosing another time gives the first one back."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from booking.clocks import Clock
from booking.holds import HOLD, hold_token, is_live
from booking.models import Appointment, Service

COOKIE, SALT = "hold", "booking.hold.cookie"


def own_hold(request: HttpRequest) -> Appointment | None:
    """The row this browser holds, if any; no query without the cookie."""
    key = request.get_signed_cookie(COOKIE, default=None, salt=SALT, max_age=2 * HOLD)
    if key is None:
        return None
    held = Appointment.objects.filter(pk=key, status=Appointment.Status.HELD)
    return held.select_related("service", "therapist").first()


def remember_hold(request: HttpRequest, response: HttpResponse, held: Appointment) -> HttpResponse:
    """Let the browser keep which row it holds; readable by us alone."""
    response.set_signed_cookie(
        COOKIE,
        str(held.pk),
        salt=SALT,
        max_age=2 * HOLD,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    return response


def held_path(held: Appointment, name: str = "held") -> str:
    """The address of the form for the held time, or of what can be done to the hold."""
    place = [held.service.slug, held.therapist.slug, held.starts_at, hold_token(held)]
    return reverse(f"booking:{name}", args=place)


def own_hold_context(request: HttpRequest, service: Service, clock: Clock, now: datetime) -> dict:
    """What the page of times says of a time this browser holds already."""
    held = own_hold(request)
    if held is None or held.service_id != service.pk or not is_live(held, now=now):
        return {}
    return {"own_hold": {"path": held_path(held), "time": clock.time(held.starts_at)}}
