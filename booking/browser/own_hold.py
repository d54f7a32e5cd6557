"""The signed cookie for this browser's hold. With it, holding another time releases the earlier hold.

The cookie lasts for two `HOLD` periods and is set again on renewal, so it lasts at least as long as the hold.
"""

from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from booking.actions.hold import HOLD, hold_token, holds_slot, is_live
from booking.models import Appointment, Service
from booking.schedule.clocks import Clock, clock_of_service
from clinic.practice.models import Clinic

COOKIE, SALT = settings.COOKIE_PREFIX + "hold", "booking.hold.cookie"


def own_hold(request: HttpRequest) -> Appointment | None:
    """Find this browser's hold, live or expired. No query without the cookie."""
    key = request.get_signed_cookie(COOKIE, default=None, salt=SALT, max_age=2 * HOLD)
    if key is None:
        return None
    held = Appointment.objects.filter(pk=key, status=Appointment.Status.HELD)
    return held.select_related("service", "therapist").first()


def remember_hold(request: HttpRequest, response: HttpResponse, held: Appointment) -> HttpResponse:
    """Set the cookie for `held` on `response`."""
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
    """Return the path of the hold's form or, with `name`, of another URL of the hold, such as "renew_hold"."""
    place = [held.service.slug, held.therapist.slug, held.starts_at, hold_token(held)]
    return reverse(f"booking:{name}", args=place)


def own_hold_of(request: HttpRequest, context: dict, now: datetime) -> Appointment | None:
    """Find this browser's live hold of the page's slot, for example from another tab."""
    held = own_hold(request)
    return held if held is not None and holds_slot(held, slot=context["slot"], now=now) else None


def to_own_hold(request: HttpRequest, context: dict, now: datetime) -> HttpResponse | None:
    """Redirect to the form of the hold if this browser holds the page's slot, else return None."""
    held = own_hold_of(request, context, now)
    return None if held is None else HttpResponseRedirect(held_path(held) + context["choices"].query)


def own_hold_context(request: HttpRequest, service: Service, clock: Clock, now: datetime) -> dict:
    """Return the context of this browser's live hold, if it is for `service`. Empty otherwise."""
    held = own_hold(request)
    if held is None or held.service_id != service.pk or not is_live(held, now=now):
        return {}
    return {"own_hold": {"path": held_path(held), "time": clock.time(held.starts_at)}}


def kept_time_context(request: HttpRequest, clinic: Clinic, zone_name: str, now: datetime) -> dict:
    """Return the context of this browser's live hold for any service, with its time in the zone of that service.

    Empty without a hold.
    """
    held = own_hold(request)
    if held is None or not is_live(held, now=now):
        return {}
    clock = clock_of_service(held.service, clinic=clinic, zone_name=zone_name)
    return {"kept": {"path": held_path(held), "time": clock.time(held.starts_at), "service": held.service}}
