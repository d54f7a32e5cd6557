"""Choosing: which visit, with whom, which day, which time. Reading only; every step is an address of its own."""

import uuid
from datetime import date, datetime, timedelta
from itertools import groupby

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from assessments.screening import may_offer_screen
from assessments.views.screen import screen_before
from booking.availability import Slot, count_days, free_slots, next_free_slots, one_slot_a_time
from booking.caps import monday_of
from booking.models import Service, VisitMode
from booking.parts_of_day import PARTS
from booking.paths import DayConverter
from booking.rules import bookable_time
from booking.trail import Trail, read_trail
from booking.views.own_hold import own_hold_context
from booking.wording import clinic_time, day_words, short_day_words, visitor_time
from clinic.practice.models import Clinic, Therapist
from education.views.addresses import describe_address

DAYS_A_PAGE = 28


@require_safe
@never_cache
def services(request: HttpRequest) -> HttpResponse:
    """What can be booked, with minutes and price."""
    trail = read_trail(request, now=timezone.now())
    context = {"services": Service.objects.listed(), "trail": trail, "step": 1, **describe_address(request)}
    return render(request, "booking/services.html", context)


@require_safe
@never_cache
def days(request: HttpRequest, slug: str) -> HttpResponse:
    """The next free time, then four weeks of days with the number of free times of each; none: when the next is."""
    now, clinic = timezone.now(), Clinic.objects.current()
    service = get_object_or_404(Service.objects.listed(), slug=slug)
    trail = read_trail(request, now=now)
    context = {"service": service, "clinic": clinic, "trail": trail, "step": 2}
    context |= {**zone_context(service, clinic, trail), **describe_address(request)}
    if not service.is_booked_online:
        return render(request, "booking/call_us.html", context)
    if page := screen_before(request, trail.article):
        return page
    today = now.astimezone(clinic.zone).date()
    last_day = bookable_time(service, clinic=clinic, now=now).last_day(clinic.zone)
    first_day = min(max(asked_day(request) or today, today), last_day)
    context |= choices_context(service, trail)
    slots = free_slots(
        service=service, first_day=first_day, days=DAYS_A_PAGE, now=now, clinic=clinic, therapist=context["therapist"]
    )
    slots = suiting(slots, service, clinic, trail)
    context |= {
        **days_context(count_days(slots, clinic.zone), first_day, today, last_day),
        "next_row": time_row(slots[0], service, clinic, trail) if slots and first_day == today else None,
        "next_slot": None if slots else _next_slot(service, first_day, now, context),
        "may_screen": may_offer_screen(request.session),
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
    if page := screen_before(request, trail.article):
        return page
    context = {"service": service, "clinic": clinic, "trail": trail, "step": 3, **choices_context(service, trail)}
    slots = free_slots(service=service, first_day=day, days=1, now=now, clinic=clinic, therapist=context["therapist"])
    slots = one_slot_a_time(suiting(slots, service, clinic, trail))
    is_past = day < now.astimezone(clinic.zone).date()
    context |= {
        "day": day,
        "day_words": day_words(day),
        **times_context([time_row(slot, service, clinic, trail) for slot in slots]),
        "is_past": is_past,
        "next_slot": None if slots else _next_slot(service, day, now, context),
        "hold_key": uuid.uuid4(),
        **zone_context(service, clinic, trail),
        **own_hold_context(request, service, clinic, now),
    }
    return render(request, "booking/times.html", context, status=410 if is_past else 200)


def zone_context(service: Service, clinic: Clinic, trail: Trail) -> dict:
    """What the zone picker needs. Only calls have one: who comes to the clinic lives by its clock."""
    return {
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


def suiting(slots: list[Slot], service: Service, clinic: Clinic, trail: Trail) -> list[Slot]:
    """Those in the part of the day that was asked for, by the clock of who lives by it."""
    if trail.part is None:
        return slots
    zone = clinic.zone
    if slots and (there := time_there(service, slots[0].starts_at, clinic, trail)):
        zone = there.zone
    return [slot for slot in slots if trail.part.contains(slot.starts_at.astimezone(zone))]


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
        "clocks_change": len({row["time"].local.utcoffset() for row in rows}) > 1,
    }


def time_there(service: Service, instant: datetime, clinic: Clinic, trail: Trail):
    """The visitor's own time of a slot, for services that happen by phone or video too; None where it adds nothing."""
    mode = VisitMode.IN_PERSON if service.is_only_in_person else VisitMode.PHONE
    return visitor_time(instant, mode=mode, zone_name=trail.zone_name, clinic=clinic)


def time_row(slot: Slot, service: Service, clinic: Clinic, trail: Trail) -> dict:
    """A slot with its time by the clinic's clock and, where it differs, in words by the visitor's own."""
    time, there = clinic_time(slot.starts_at, clinic), time_there(service, slot.starts_at, clinic, trail)
    words = there.clock if there else ""
    if there and there.local.date() != time.local.date():
        words += f", {short_day_words(there.local.date())}"
    return {"slot": slot, "time": time, "there": there, "there_words": words}


def asked_day(request: HttpRequest) -> date | None:
    """The day of `?from=`. Raises Http404 for what is not one."""
    if text := request.GET.get("from"):
        try:
            return DayConverter().to_python(text)
        except ValueError:
            raise Http404 from None
    return None


def _next_slot(service: Service, first_day: date, now: datetime, context: dict) -> dict | None:
    clinic, trail = context["clinic"], context["trail"]
    slots = next_free_slots(
        service=service, limit=None, now=now, clinic=clinic, first_day=first_day, therapist=context["therapist"]
    )
    slots = suiting(slots, service, clinic, trail)
    if not slots:
        return None
    time = clinic_time(slots[0].starts_at, clinic)
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
