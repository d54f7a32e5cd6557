"""Pages where patients answer whether they are coming, and choose their messages.

Their choices are which messages they get, and whether those use their first name.

A GET changes nothing, since email scanners open every link.
"""

from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from booking.actions.attend import confirm_appointment
from booking.actions.change import is_changeable
from booking.actions.report_absence import note_not_coming
from booking.models import Appointment
from booking.presenters.visit import asked_version, changed_meanwhile, visit_context, visit_link
from booking.schedule.errors import TooLateToChange, VisitCancelled, VisitChanged
from clinic.outbox.messages.suppressions import messages_path
from clinic.practice.access.proof import Capability, LinkRequest
from clinic.practice.models import Clinic
from clinic.practice.people.first_names import use_first_name
from clinic.responses.redirects import see_other


@require_http_methods(["GET", "HEAD", "POST"])
@visit_link(Capability.CHANGE_VISIT)
def coming(request: LinkRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """Ask the patient to confirm that they are coming. A POST records it."""
    status = 200
    if request.method == "POST":
        try:
            version = asked_version(request)
            appointment.confirmed_at = confirm_appointment(
                appointment=appointment, version=version, now=now
            ).confirmed_at
        except VisitChanged:
            return changed_meanwhile(request, appointment, now, wanted="coming")
        except (TooLateToChange, VisitCancelled):
            status = 409
    return render(request, "booking/coming.html", visit_context(request, appointment, now), status=status)


@require_POST
@visit_link(Capability.OPEN_MESSAGES)
def messages(request: LinkRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """Redirect to the page where the patient chooses messages. Requires a POST, since it issues a link."""
    return see_other(messages_path(appointment.booked_patient, now=now))


@require_POST
@visit_link(Capability.USE_FIRST_NAME)
def first_name(request: LinkRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """Turn the first name in messages on or off."""
    use_first_name(appointment.booked_patient, is_wanted=request.POST.get("use") == "yes", now=now)
    return see_other(reverse("booking:visit", args=[token]))


@require_http_methods(["GET", "HEAD", "POST"])
@visit_link(Capability.CHANGE_VISIT, accepts=False)
def not_coming(request: LinkRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """Offer to move or cancel a visit that the patient cannot make.

    If it is too late for both, a POST records that the patient cannot come, and alerts the clinic.
    """
    status = 200
    if request.method == "POST" and is_changeable(appointment, clinic=Clinic.objects.current(), now=now):
        status = 409  # it can still be canceled, which the page offers
    elif request.method == "POST":
        try:
            version = asked_version(request)
            appointment.not_coming_at = note_not_coming(appointment=appointment, version=version, now=now).not_coming_at
        except VisitChanged:
            return changed_meanwhile(request, appointment, now, wanted="not_coming")
        except TooLateToChange:
            status = 409
    return render(request, "booking/not_coming.html", visit_context(request, appointment, now), status=status)
