"""Choosing: which visit, which day, which time. Reading only; every step is an address of its own."""

from datetime import date, datetime, timedelta
from itertools import groupby

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from booking.availability import Slot, free_days, free_slots, next_free_slots, one_slot_a_time
from booking.models import Service, VisitMode
from booking.paths import DayConverter
from booking.rules import bookable_time
from booking.trail import Trail, read_trail
from booking.wording import clinic_time, day_words, short_day_words, visitor_time
from clinic.practice.models import Clinic

DAYS_A_PAGE = 14


@require_safe
@never_cache
def services(request: HttpRequest) -> HttpResponse:
    """What can be booked, with minutes and price."""
    trail = read_trail(request, now=timezone.now())
    return render(request, "booking/services.html", {"services": Service.objects.listed(), "trail": trail, "step": 1})


@require_safe
@never_cache
def days(request: HttpRequest, slug: str) -> HttpResponse:
    """Two weeks of days with the number of free times of each; where there are none, when the next is."""
    now, clinic = timezone.now(), Clinic.objects.current()
    service = get_object_or_404(Service.objects.listed(), slug=slug)
    trail = read_trail(request, now=now)
    context = {"service": service, "clinic": clinic, "trail": trail, "step": 2, **zone_context(service, clinic, trail)}
    if not service.is_bookable:
        return render(request, "booking/call_us.html", context)
    today = now.astimezone(clinic.zone).date()
    last_day = bookable_time(service, clinic=clinic, now=now).last_day(clinic.zone)
    first_day = min(max(_asked_day(request) or today, today), last_day)
    counts = free_days(service=service, first_day=first_day, days=DAYS_A_PAGE, now=now, clinic=clinic)
    after = first_day + timedelta(days=DAYS_A_PAGE)
    context |= {
        "weeks": _weeks(counts, today),
        "first_day": short_day_words(first_day),
        "last_day": short_day_words(after - timedelta(days=1)),
        "earlier": max(first_day - timedelta(days=DAYS_A_PAGE), today) if first_day > today else None,
        "later": after if after <= last_day else None,
        "next_slot": None if counts else _next_slot(service, first_day, now, clinic),
    }
    return render(request, "booking/days.html", context)


@require_safe
@never_cache
def times(request: HttpRequest, slug: str, day: date) -> HttpResponse:
    """The free times of one day, by part of the day. A day without any says when the next time is."""
    now, clinic = timezone.now(), Clinic.objects.current()
    service = get_object_or_404(Service.objects.listed(), slug=slug)
    if not service.is_bookable:
        raise Http404
    trail = read_trail(request, now=now)
    slots = one_slot_a_time(free_slots(service=service, first_day=day, days=1, now=now, clinic=clinic))
    rows = [time_row(slot, service, clinic, trail) for slot in slots]
    is_past = day < now.astimezone(clinic.zone).date()
    context = {
        "service": service,
        "clinic": clinic,
        "trail": trail,
        "step": 3,
        "day": day,
        "day_words": day_words(day),
        "parts": _parts_of_day(rows),
        "first": rows[0] if rows else None,
        "clocks_change": len({row["time"].local.utcoffset() for row in rows}) > 1,
        "is_past": is_past,
        "next_slot": None if slots else _next_slot(service, day, now, clinic),
        **zone_context(service, clinic, trail),
    }
    return render(request, "booking/times.html", context, status=410 if is_past else 200)


def zone_context(service: Service, clinic: Clinic, trail: Trail) -> dict:
    """What the zone picker needs. Only calls have one: who comes to the clinic lives by its clock."""
    return {
        "has_zone_picker": not service.is_only_in_person,
        "zones": trail.zones(clinic_zone_name=clinic.time_zone),
        "chosen_zone": trail.zone_name or clinic.time_zone,
    }


def time_there(service: Service, instant: datetime, clinic: Clinic, trail: Trail):
    """The visitor's own time of a slot, for services that happen by phone or video too; None where it adds nothing."""
    mode = VisitMode.IN_PERSON if service.is_only_in_person else VisitMode.PHONE
    return visitor_time(instant, mode=mode, zone_name=trail.zone_name, clinic=clinic)


def _asked_day(request: HttpRequest) -> date | None:
    if text := request.GET.get("from"):
        try:
            return DayConverter().to_python(text)
        except ValueError:
            raise Http404 from None
    return None


def _next_slot(service: Service, first_day: date, now: datetime, clinic: Clinic) -> dict | None:
    slots = next_free_slots(service=service, limit=1, now=now, clinic=clinic, first_day=first_day)
    if not slots:
        return None
    time = clinic_time(slots[0].starts_at, clinic)
    return {"day": time.local.date(), "time": time}


def _weeks(counts: dict[date, int], today: date) -> list[dict]:
    this_monday = _monday(today)
    names = {this_monday: "This week", this_monday + timedelta(days=7): "Next week"}
    return [
        {
            "name": names.get(monday) or f"Week of {short_day_words(monday)}",
            "days": [{"day": day, "words": short_day_words(day), "count": counts[day]} for day in group],
        }
        for monday, group in groupby(counts, key=_monday)
    ]


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def time_row(slot: Slot, service: Service, clinic: Clinic, trail: Trail) -> dict:
    """A slot with its time by the clinic's clock and, where it differs, in words by the visitor's own."""
    time, there = clinic_time(slot.starts_at, clinic), time_there(service, slot.starts_at, clinic, trail)
    words = there.clock if there else ""
    if there and there.local.date() != time.local.date():
        words += f", {short_day_words(there.local.date())}"
    return {"slot": slot, "time": time, "there": there, "there_words": words}


def _parts_of_day(rows: list[dict]) -> list[dict]:
    return [{"name": name, "rows": list(group)} for name, group in groupby(rows, key=_part_of_day)]


def _part_of_day(row: dict) -> str:
    hour = row["time"].local.hour
    return "Morning" if hour < 12 else "Afternoon" if hour < 17 else "Evening"
