"""Pages that choose a service, a therapist, a day and a time. They are read-only, and each step has its own URL."""

import uuid
from datetime import date, datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from assessments.intake.screening import may_offer_screen
from booking.browser.booking_choices import read_choices
from booking.browser.own_hold import kept_time_context, own_hold_context
from booking.browser.recognized import recognized_patient
from booking.models import Service
from booking.presenters.choosing import choices_context, suiting, zone_context
from booking.presenters.entry import page_before
from booking.presenters.free_times import DAYS_A_PAGE, asked_day, days_context, time_row, times_context
from booking.schedule.availability import count_days, free_slots, next_free_slots, one_slot_a_time
from booking.schedule.clocks import Clock
from booking.schedule.local_time import format_minor_note
from booking.schedule.rules import bookable_time
from clinic.practice.models import Clinic
from clinic.practice.values.dates import format_day
from clinic.responses.addresses import describe_address


@require_safe
@never_cache
def services(request: HttpRequest) -> HttpResponse:
    """List the services, with minutes and price."""
    now = timezone.now()
    choices = read_choices(request, now=now)
    listed = list(Service.objects.listed())
    context = {"services": listed, "choices": choices, "step": 1, **describe_address(request)}
    context["has_online"] = any(service.is_booked_online for service in listed)
    context |= kept_time_context(request, Clinic.objects.current(), choices.zone_name, now)
    return render(request, "booking/services.html", context)


@require_safe
@never_cache
def days(request: HttpRequest, slug: str) -> HttpResponse:
    """Show which of DAYS_A_PAGE days have free times, and how many. The first page also shows the next free time.

    If none of these days has a free time, show the next free time after them. If the service is not booked online, show
    a page that asks to call.
    """
    now, clinic = timezone.now(), Clinic.objects.current()
    service = get_object_or_404(Service.objects.listed(), slug=slug)
    choices = read_choices(request, now=now)
    context = {"service": service, "clinic": clinic, "choices": choices, "step": 2}
    context["minor_note"] = format_minor_note(service.modes)
    zones = zone_context(service, clinic, choices)
    context |= {**zones, **describe_address(request)}
    clock: Clock = zones["clock"]
    if not service.is_booked_online:
        return render(request, "booking/call_us.html", context)
    if page := page_before(request, service, choices):
        return page
    today = clock.day(now)
    last_day = bookable_time(service, clinic=clinic, now=now).last_day(clock.zone)
    first_day = min(max(asked_day(request) or today, today), last_day)
    context |= {**choices_context(service, choices), "booked_for": recognized_patient(request)}
    stretch: dict[str, Any] = {"first_day": first_day, "days": DAYS_A_PAGE, "zone": clock.zone}
    slots = free_slots(service=service, **stretch, now=now, clinic=clinic, **_slot_filters(context))
    slots = suiting(slots, clock, choices)
    context |= {
        **days_context(count_days(slots, clock.zone), first_day, today, last_day),
        "next_row": time_row(slots[0], clock) if slots and first_day == today else None,
        "next_slot": None if slots else _next_slot(service, first_day, now, context),
        "may_screen": may_offer_screen(request.session),
        **kept_time_context(request, clinic, choices.zone_name, now),
        "hold_key": uuid.uuid4(),
    }
    return render(request, "booking/days.html", context)


@require_safe
@never_cache
def times(request: HttpRequest, slug: str, day: date) -> HttpResponse:
    """Show the free times of one day by part of the day, or else the next free time. Respond 410 for a past day.

    Raises Http404 for a service whose listing does not allow online booking.
    """
    now, clinic = timezone.now(), Clinic.objects.current()
    service = get_object_or_404(Service.objects.listed(), slug=slug)
    if not service.is_bookable:
        raise Http404
    choices = read_choices(request, now=now)
    if not service.has_active_therapist:
        context = {"service": service, "clinic": clinic, "choices": choices, "step": 3}
        return render(request, "booking/call_us.html", context)
    if page := page_before(request, service, choices):
        return page
    context = {"service": service, "clinic": clinic, "choices": choices, "step": 3}
    context["booked_for"] = recognized_patient(request)
    zones = zone_context(service, clinic, choices)
    context |= {**choices_context(service, choices), **zones}
    clock: Clock = zones["clock"]
    stretch: dict[str, Any] = {"first_day": day, "days": 1, "zone": clock.zone}
    slots = free_slots(service=service, **stretch, now=now, clinic=clinic, **_slot_filters(context))
    slots = one_slot_a_time(suiting(slots, clock, choices))
    is_past = day < clock.day(now)
    context |= {
        "day": day,
        "day_words": format_day(day, today=clock.day(now)),
        **times_context([time_row(slot, clock) for slot in slots]),
        "is_past": is_past,
        "next_slot": None if slots else _next_slot(service, day, now, context),
        "hold_key": uuid.uuid4(),
        **(
            own_hold_context(request, service, clock, now) or kept_time_context(request, clinic, choices.zone_name, now)
        ),
    }
    return render(request, "booking/times.html", context, status=410 if is_past else 200)


def _slot_filters(context: dict) -> dict:
    """Return arguments of `free_slots`: the chosen therapist, and the patient whose other visits rule out times."""
    return {"therapist": context["therapist"], "patient": context["booked_for"]}


def _next_slot(service: Service, first_day: date, now: datetime, context: dict) -> dict | None:
    clinic, clock = context["clinic"], context["clock"]
    stretch = {"first_day": first_day, "zone": clock.zone}
    slots = next_free_slots(service=service, limit=None, **stretch, now=now, clinic=clinic, **_slot_filters(context))
    slots = suiting(slots, clock, context["choices"])
    if not slots:
        return None
    time = clock.time(slots[0].starts_at)
    return {"day": time.local.date(), "time": time}
