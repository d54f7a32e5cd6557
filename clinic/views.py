"""The home page, robots.txt and the error pages."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from booking.models import OpeningHours, Purpose, Service
from booking.schedule.availability import next_free_slots
from booking.schedule.local_time import clinic_time
from booking.time.hours_text import format_week, opening_times
from clinic.practice.models import Clinic, Therapist
from clinic.practice.values.zones import zones_of_state
from clinic.responses.addresses import canonical_url, describe_address
from clinic.staff.admin_errors import is_for_staff, miss_page, refuse_staff, refuse_stale_form
from clinic.web.away import fault_page
from education.articles.library import published
from education.articles.structured_data import describe_clinic


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the home page: services, next free call, opening hours, therapists and articles."""
    now = timezone.now()
    clinic = Clinic.objects.current()
    today = now.astimezone(clinic.zone).date()
    services = list(Service.objects.listed())
    opening = [row.weekly for row in OpeningHours.objects.filter(therapist__is_active=True)]
    address = describe_address(request)
    booked_online = [service for service in services if service.is_booked_online]
    first_call = next((service for service in booked_online if service.purpose == Purpose.CALL), None)
    slots = next_free_slots(service=first_call, limit=1, now=now, clinic=clinic) if first_call else []
    articles = list(published(now=now)[:4])
    context = {
        "clinic": clinic,
        "services": services,
        "booked_online": booked_online,
        "first_call": first_call,
        "next_call": slots[0] if slots else None,
        "next_call_time": clinic_time(slots[0].starts_at, clinic) if slots else None,
        "state": zones_of_state(clinic.region)[0],
        "articles": articles[1:],
        "lead_article": articles[0] if articles else None,
        "therapists": Therapist.objects.active(),
        "hours": format_week(opening, on=today),
        **address,
        "structured_data": describe_clinic(
            clinic,
            url=address["canonical"],
            image=address["share_image"],
            opening=opening_times(opening, on=today),
        ),
    }
    return render(request, "home.html", context)


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Return robots.txt. Pages behind patient links also send a noindex header."""
    private = ("/admin/", "/visits/", "/intake/", "/messages/", "/waiting/", "/offers/", "/book/*/*/")
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in private)]
    lines += ["", f"Sitemap: {canonical_url(request, reverse('sitemap'))}"]
    return HttpResponse("\n".join([*lines, ""]), content_type="text/plain")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refuse_staff(request) if is_for_staff(request) else render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return miss_page(request) if is_for_staff(request) else render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Respond with 500, or 503 during a database outage. Makes no query."""
    return fault_page(request, is_away=isinstance(sys.exception(), OperationalError | InterfaceError))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Respond with 403 to a form without a valid CSRF token, such as one opened before the cookies changed."""
    if request.path.startswith(reverse("admin:index")):
        return refuse_stale_form(request)
    return render(request, "403.html", {"is_stale_form": True}, status=403)
