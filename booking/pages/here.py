"""The patient's check-in ("I'm here") and its undo. The button is on the visit's page."""

from collections.abc import Callable
from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from booking.actions.attend import say_here, say_not_here
from booking.limits.spending import spend_undone_check_in
from booking.models import Appointment
from booking.presenters.visit import visit_context, visit_link
from booking.schedule.errors import ArrivalTooEarly, TooLateToChange, VisitCancelled
from clinic.practice.access.networks import network_of
from clinic.practice.access.proof import Capability, LinkRequest
from clinic.responses.redirects import see_other


@require_POST
@visit_link(Capability.SAY_HERE)
def here(request: LinkRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """Record that the patient is here. If that is not possible, show the visit (409)."""
    return _say(say_here, request, appointment, now)


@require_POST
@visit_link(Capability.SAY_HERE)
def not_here(request: LinkRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """Record that the patient is not here yet. If that is not possible (409) or too often (429), show the visit."""
    verdict = spend_undone_check_in(appointment=appointment, network=network_of(request), now=now)
    if verdict.is_over:
        response = render(request, "booking/visit.html", visit_context(request, appointment, now), status=429)
        response["Retry-After"] = str(verdict.seconds_left(now=now))
        return response
    return _say(say_not_here, request, appointment, now)


def _say(
    action: Callable[..., Appointment], request: LinkRequest, appointment: Appointment, now: datetime
) -> HttpResponse:
    try:
        action(appointment=appointment, now=now)
    except (ArrivalTooEarly, TooLateToChange, VisitCancelled) as refusal:
        appointment.refresh_from_db()  # it may have changed since the page was shown
        context = visit_context(request, appointment, now)
        is_early = isinstance(refusal, ArrivalTooEarly)
        return render(request, "booking/visit.html", {**context, "is_too_early": is_early}, status=409)
    return see_other(reverse("booking:visit", args=[request.token]))
