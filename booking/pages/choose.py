"""Choosing: which visit, with whom, which day, which time. Reading only; every step is an address of its own."""

import uuid
from datetime import date, datetime, timedelta
from itertools import groupby

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from assessments.intake.screening import may_offer_screen
from booking.converters import DayConverter
from booking.models import Service
from booking.presenters.booking_choices import Trail, read_trail
from booking.presenters.entry import page_before
from booking.presenters.own_hold import kept_time_context, own_hold_context
from booking.presenters.recognized import recognized_patient
from booking.schedule.availability import Slot, count_days, free_slots, next_free_slots, one_slot_a_time
from booking.schedule.clocks import Clock, clock_of_service
from booking.schedule.local_time import day_words, minor_words, short_day_words
from booking.schedule.rules import bookable_time
from booking.time.caps import monday_of
from booking.time.day_parts import PARTS
from clinic.practice.models import Clinic, Therapist
from clinic.responses.addresses import describe_address

DAYS_A_PAGE = 28


@require_safe
@never_cache
def services(request: HttpRequest) -> HttpResponse:
    """What can be booked, with minutes and price."""
    now = timezone.now()
    trail = read_trail(request, now=now)
    listed = list(Service.objects.listed())
    context = {"services": listed, "trail": trail, "step": 1, **describe_address(request)}
    context["has_online"] = any(service.is_booked_online for service in listed)
    context |= kept_time_context(request, Clinic.objects.current(), trail.zone_name, now)
    return render(request, "booking/services.html", context)


@require_safe
@never_cache
def days(request: HttpRequest, slug: str) -> HttpResponse:
    """The next free time, then four weeks of days with the number of free times of each; none: when the next is."""
    now, clinic = timezone.now(), Clinic.objects.current()
    service = get_object_or_404(Service.objects.listed(), slug=slug)
    trail = read_trail(request, now=now)
    context = {"service": service, "clinic": clinic, "trail": trail, "step": 2}
    context["minor_words"] = minor_words(is_in_person=service.is_only_in_person)
    context |= {**zone_context(service, clinic, trail), **describe_address(request)}
    clock = context["clock"]
    if not service.is_booked_online:
        return render(request, "booking/call_us.html", context)
    if page := page_before(request, service, trail):
        return page
    today = clock.day(now)
    last_day = bookable_time(service, clinic=clinic, now=now).last_day(clock.zone)
    first_day = min(max(asked_day(request) or today, today), last_day)
    context |= {**choices_context(service, trail), "booked_for": recognized_patient(request)}
    stretch = {"first_day": first_day, "days": DAYS_A_PAGE, "zone": clock.zone}
    slots = free_slots(service=service, **stretch, now=now, clinic=clinic, **_whose(context))
    slots = suiting(slots, clock, trail)
    context |= {
        **days_context(count_days(slots, clock.zone), first_day, today, last_day),
        "next_row": time_row(slots[0], clock) if slots and first_day == today else None,
        "next_slot": None if slots else _next_slot(service, first_day, now, context),
        "may_screen": may_offer_screen(request.session),
        **kept_time_context(request, clinic, trail.zone_name, now),
        "hold_key": uuid.uuid4(),
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
    if not service.has_active_therapist:
        context = {"service": service, "clinic": clinic, "trail": trail, "step": 3}
        return render(request, "booking/call_us.html", context)
    if page := page_before(request, service, trail):
        return page
    context = {"service": service, "clinic": clinic, "trail": trail, "step": 3}
    context["booked_for"] = recognized_patient(request)
    context |= {**choices_context(service, trail), **zone_context(service, clinic, trail)}
    clock = context["clock"]
    stretch = {"first_day": day, "days": 1, "zone": clock.zone}
    slots = free_slots(service=service, **stretch, now=now, clinic=clinic, **_whose(context))
    slots = one_slot_a_time(suiting(slots, clock, trail))
    is_past = day < clock.day(now)
    context |= {
        "day": day,
        "day_words": day_words(day),
        **times_context([time_row(slot, clock) for slot in slots]),
        "is_past": is_past,
        "next_slot": None if slots else _next_slot(service, day, now, context),
        "hold_key": uuid.uuid4(),
        **(own_hold_context(request, service, clock, now) or kept_time_context(request, clinic, trail.zone_name, now)),
    }
    return render(request, "booking/times.html", context, status=410 if is_past else 200)


def zone_context(service: Service, clinic: Clinic, trail: Trail) -> dict:
    """The clock of the page, and what the zone picker needs: services that can be a call have one."""
    return {
        "clock": clock_of_service(service, clinic=clinic, zone_name=trail.zone_name),
        "has_zone_picker": not service.is_only_in_person,
        "zones": trail.zones(clinic_zone_name=clinic.time_zone),
        "chosen_zone": trail.zone_name or clinic.time_zone,
    }


def choices_context(service: Service, trail: Trail) -> dict:
    """The parts of the day and the therapists to choose from. Unknown therapist slug: 404."""
    therapists = list(Therapist.objects.active().filter(services=service))
    therapist = next((one for one in therapists if one.slug == trail.therapist_slug), None)
    if trail.therapist_slug and therapist is None:
        raise Http404
    whom = [("First available", "")] + [(one.name, one.slug) for one in therapists]
    return {
        "therapist": therapist,
        "therapist_choices": [
            {
                "words": words,
                "query": trail.changed(therapist_slug=slug).query,
                "is_chosen": slug == trail.therapist_slug,
            }
            for words, slug in whom
        ]
        if len(therapists) > 1
        else [],
        "part_choices": [
            {
                "words": part.words.capitalize() if part else "Any time",
                "query": trail.changed(part=part).query,
                "is_chosen": part == trail.part,
            }
            for part in (None, *PARTS.values())
        ],
    }


def suiting(slots: list[Slot], clock: Clock, trail: Trail) -> list[Slot]:
    """Those in the part of the day that was asked for, by the clock of the page."""
    if trail.part is None:
        return slots
    return [slot for slot in slots if trail.part.contains(slot.starts_at.astimezone(clock.zone))]


def days_context(counts: dict[date, int], first_day: date, today: date, last_day: date) -> dict:
    """Days by week, and which pages of days lie before and after."""
    after = first_day + timedelta(days=DAYS_A_PAGE)
    return {
        "weeks": _weeks(counts, today),
        "first_day": short_day_words(first_day),
        "last_day": short_day_words(after - timedelta(days=1)),
        "earlier": max(first_day - timedelta(days=DAYS_A_PAGE), today) if first_day > today else None,
        "later": after if after <= last_day else None,
    }


def times_context(rows: list[dict]) -> dict:
    """Times by part of the day; before them the ones that suit the clinic best, where the service has a preference."""
    suits_us = [row for row in rows if not row["slot"].is_lonely]
    is_marked = 0 < len(suits_us) < len(rows)
    parts = [{"name": name, "rows": list(group)} for name, group in groupby(rows, key=_part_of_day)]
    if is_marked:
        rest = [row for row in rows if row["slot"].is_lonely]
        parts = [{"name": "Easiest for us", "rows": suits_us}] + [
            {"name": name, "rows": list(group)} for name, group in groupby(rest, key=_part_of_day)
        ]
    return {
        "parts": parts,
        "first": rows[0] if rows else None,
        "clocks_change": len({row["time"].local.utcoffset() for row in rows}) > 1
        or any(row["time"].is_repeated for row in rows),
        "has_beside": any(row["beside"] for row in rows),
    }


def time_row(slot: Slot, clock: Clock) -> dict:
    """A slot with its time by the clock of the page and, where it differs, in words by the other clock, with its zone."""
    time, beside = clock.time(slot.starts_at), clock.beside(slot.starts_at)
    words = beside.clock_and_zone if beside else ""
    if beside and beside.local.date() != time.local.date():
        words += f", {short_day_words(beside.local.date())}"
    return {"slot": slot, "time": time, "beside": beside, "beside_words": words, "beside_whom": clock.beside_whom}


def asked_day(request: HttpRequest) -> date | None:
    """The day of `?from=`. Raises Http404 for what is not one."""
    if text := request.GET.get("from"):
        try:
            return DayConverter().to_python(text)
        except ValueError:
            raise Http404 from None
    return None


def _whose(context: dict) -> dict:
    """Whose times: of the therapist who was asked for, apart from the visits of the patient this browser books for."""
    return {"therapist": context["therapist"], "patient": context["booked_for"]}


def _next_slot(service: Service, first_day: date, now: datetime, context: dict) -> dict | None:
    clinic, clock = context["clinic"], context["clock"]
    stretch = {"first_day": first_day, "zone": clock.zone}
    slots = next_free_slots(service=service, limit=None, **stretch, now=now, clinic=clinic, **_whose(context))
    slots = suiting(slots, clock, context["trail"])
    if not slots:
        return None
    time = clock.time(slots[0].starts_at)
    return {"day": time.local.date(), "time": time}


def _weeks(counts: dict[date, int], today: date) -> list[dict]:
    this_monday = monday_of(today)
    names = {this_monday: "This week", this_monday + timedelta(days=7): "Next week"}
    return [
        {
            "name": names.get(monday) or f"Week of {short_day_words(monday)}",
            "days": [{"day": day, "words": short_day_words(day), "count": counts[day]} for day in group],
        }
        for monday, group in groupby(counts, key=monday_of)
    ]


def _part_of_day(row: dict) -> str:
    hour = row["time"].local.hour
    return "Morning" if hour < 12 else "Afternoon" if hour < 17 else "Evening"
