"""The hold of this browser, in a signed cookie, so that choosing another time gives the first one back.

The cookie lasts for twice as long as a hold and begins anew when the hold is renewed: it outlives both.
"""

from datetime import datetime

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from booking.actions.hold import HOLD, hold_token, is_live, keeps
from booking.models import Appointment, Service
from booking.schedule.clocks import Clock, clock_of_service
from clinic.practice.models import Clinic

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


def own_hold_of(request: HttpRequest, context: dict, now: datetime) -> Appointment | None:
    """The live hold this browser has of the very time that the page is about, as from another tab."""
    held = own_hold(request)
    place = {name: context[name] for name in ("service", "therapist", "starts_at")}
    return held if held is not None and keeps(held, **place, now=now) else None


def to_own_hold(request: HttpRequest, context: dict, now: datetime) -> HttpResponse | None:
    """On to the form of the time that this browser keeps, instead of a page that calls it taken."""
    held = own_hold_of(request, context, now)
    return None if held is None else HttpResponseRedirect(held_path(held) + context["choices"].query)


def own_hold_context(request: HttpRequest, service: Service, clock: Clock, now: datetime) -> dict:
    """What the page of times says of a time this browser holds already."""
    held = own_hold(request)
    if held is None or held.service_id != service.pk or not is_live(held, now=now):
        return {}
    return {"own_hold": {"path": held_path(held), "time": clock.time(held.starts_at)}}


def kept_time_context(request: HttpRequest, clinic: Clinic, zone_name: str, now: datetime) -> dict:
    """What other pages of booking say of a time this browser holds, of whichever service, by that service's clock."""
    held = own_hold(request)
    if held is None or not is_live(held, now=now):
        return {}
    clock = clock_of_service(held.service, clinic=clinic, zone_name=zone_name)
    return {"kept": {"path": held_path(held), "time": clock.time(held.starts_at), "service": held.service}}
