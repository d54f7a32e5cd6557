"""Pages shown before the times of a service: the safety questions, and the page about who can book a follow-up."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from assessments.presenters.screen_steps import screen_before
from booking.browser.booking_choices import BookingChoices
from booking.browser.recognized import recognized_patient
from booking.models import Purpose, Service
from booking.schedule.earlier_visits import has_earlier_visit
from clinic.practice.models import Clinic


def page_before(request: HttpRequest, service: Service, choices: BookingChoices) -> HttpResponse | None:
    """Return the page to show before the times of `service`, or None."""
    if service.is_follow_up:
        patient = recognized_patient(request)
        if patient is None or not has_earlier_visit(patient):
            return follow_up_page(request, service, choices)
    return screen_before(request, choices.article)


def follow_up_page(request: HttpRequest, service: Service, choices: BookingChoices) -> HttpResponse:
    """Show who can book follow-ups, and which services to book instead.

    The page does not depend on what was typed, so it does not reveal whether someone is a patient.
    """
    context = {
        "service": service,
        "clinic": Clinic.objects.current(),
        "choices": choices,
        "step": 1,
        "is_recognized": recognized_patient(request) is not None,
        "first_visits": Service.objects.booked_online().exclude(purpose=Purpose.FOLLOW_UP),
    }
    status = 409 if request.method == "POST" else 200
    return render(request, "booking/follow_up.html", context, status=status)
