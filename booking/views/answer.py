"""The two answers to a reminder. Each link leads to a page: mail scanners open every link, so only a button acts."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from booking.attendance import confirm_appointment
from booking.models import Appointment
from booking.refusals import TooLateToChange, VisitCancelled
from booking.views.manage import by_link, visit_context
from clinic.outbox.suppressions import messages_path


@require_http_methods(["GET", "HEAD", "POST"])
@by_link
def coming(request: HttpRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """ "I’ll be there": ask once, note it, and say thank you."""
    status = 200
    if request.method == "POST":
        try:
            appointment.confirmed_at = confirm_appointment(appointment=appointment, now=now).confirmed_at
        except (TooLateToChange, VisitCancelled):
            status = 409
    return render(request, "booking/coming.html", visit_context(token, appointment, now), status=status)


@require_POST
@by_link
def messages(request: HttpRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """On to the page on which the patient chooses how we write. A button, as it makes a new link."""
    return HttpResponseRedirect(messages_path(appointment.patient, now=now), status=303)


@require_safe
@by_link
def not_coming(request: HttpRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """ "I can’t make it": another time first; then cancelling, which asks once more."""
    return render(request, "booking/not_coming.html", visit_context(token, appointment, now))
