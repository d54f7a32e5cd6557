"""Pages that move a visit by its link: choose a day, choose a time, confirm. A GET changes nothing."""

from datetime import date, datetime, timedelta
from typing import Any

from django.core.validators import slug_re
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from booking.actions.change import move_appointment
from booking.limits.over_limit import move_over_budget
from booking.models import Appointment, AppointmentEvent
from booking.presenters.free_times import DAYS_A_PAGE, asked_day, days_context, time_row, times_context
from booking.presenters.visit import (
    asked_version,
    changed_meanwhile,
    named_visit_context,
    own_visit_context,
    visit_context,
    visit_link,
)
from booking.schedule.availability import FreeSlot, count_days, free_slots, one_slot_a_time
from booking.schedule.clocks import clock_of_visit
from booking.schedule.errors import BusyTryAgain, SlotNotOffered, SlotTaken, TooLateToChange, VisitChanged
from booking.schedule.rules import bookable_time, find_visit_then
from booking.schedule.visit_links import visit_path
from clinic.practice.access.links import LinkExpired
from clinic.practice.access.proof import Capability, LinkRequest, declares
from clinic.practice.models import PatientLink, Proof, Therapist
from clinic.practice.values.dates import format_day
from clinic.responses.headers import private_page
from clinic.responses.redirects import see_other

ANY_THERAPIST = "anybody"
SENT_TWICE_WITHIN = timedelta(minutes=1)


@require_safe
@visit_link(Capability.CHANGE_VISIT)
def move_days(request: LinkRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """Show the days with free times of the visit's therapist. `?with=` selects another therapist, or any.

    If the visit's therapist no longer offers the service, times of any therapist are shown by default.
    """
    context = visit_context(request, appointment, now)
    if not context["can_change"] or not appointment.service.is_booked_online:
        return render(request, "booking/move_days.html", context, status=409)
    clinic = context["clinic"]
    context["clock"] = clock = clock_of_visit(appointment, clinic=clinic)
    today = clock.day(now)
    last_day = bookable_time(appointment.service, clinic=clinic, now=now).last_day(clock.zone)
    first_day = min(max(asked_day(request) or today, today), last_day)
    context |= _therapist_context(request, appointment)
    slots = _other_slots(context, first_day, DAYS_A_PAGE, now)
    context |= days_context(count_days(slots, clock.zone), first_day, today, last_day)
    return render(request, "booking/move_days.html", context)


@require_safe
@visit_link(Capability.CHANGE_VISIT)
def move_times(request: LinkRequest, token: str, appointment: Appointment, now: datetime, day: date) -> HttpResponse:
    """Show the free times of one day, each a link to its confirmation page."""
    return _times_page(request, visit_context(request, appointment, now), day, now)


def _times_page(
    request: LinkRequest, context: dict, day: date, now: datetime, *, status: int = 200, **more: Any
) -> HttpResponse:
    if not context["can_change"] or not context["service"].is_booked_online:
        return render(request, "booking/move_days.html", context, status=409)
    appointment = context["appointment"]
    context["clock"] = clock = clock_of_visit(appointment, clinic=context["clinic"])
    context |= _therapist_context(request, appointment)
    slots = _other_slots(context, day, 1, now)
    rows = [time_row(slot, clock) for slot in slots]
    page = {**context, **times_context(rows), "day_words": format_day(day, today=clock.day(now)), **more}
    return render(request, "booking/move_times.html", page, status=status)


def _therapist_context(request: LinkRequest, appointment: Appointment) -> dict:
    """Return the chosen therapist (`whom`, None for any) and the choices. Raises Http404 for an unknown slug."""
    able = list(Therapist.objects.active().filter(services=appointment.service))
    own, is_handed_on = appointment.therapist, appointment.therapist not in able
    able.sort(key=lambda one: one != own)
    choices = {one.slug: (one.name, one) for one in able} | {ANY_THERAPIST: ("Any therapist", None)}
    start = ANY_THERAPIST if is_handed_on else own.slug
    slug = request.GET.get("with", start)
    if is_handed_on and slug == own.slug:  # the page was loaded before the therapist stopped offering the service
        slug = start
    if slug not in choices:
        raise Http404
    nav = [{"label": label, "query": f"?with={key}", "is_chosen": key == slug} for key, (label, _) in choices.items()]
    nav = nav if len(choices) > 2 else []
    return {"whom": choices[slug][1], "therapist_choices": nav, "whom_slug": slug, "is_handed_on": is_handed_on}


def _other_slots(context: dict, first_day: date, days: int, now: datetime) -> list[FreeSlot]:
    appointment = context["appointment"]
    slots = free_slots(
        service=appointment.service,
        therapist=context["whom"],
        first_day=first_day,
        days=days,
        now=now,
        clinic=context["clinic"],
        zone=context["clock"].zone,
        in_place_of=appointment,
        patient=appointment.patient if context["is_mailed"] else None,
    )
    here = (appointment.therapist_id, appointment.starts_at)
    return one_slot_a_time(slot for slot in slots if (slot.therapist.pk, slot.starts_at) != here)


@require_http_methods(["GET", "HEAD", "POST"])
@private_page
@declares(Capability.CHANGE_VISIT)
def move(request: HttpRequest, token: str, starts_at: datetime) -> HttpResponse:
    """Ask to confirm the move. A POST moves the visit, which revokes its links, and redirects to it with a new link."""
    if request.method != "POST":
        return _ask(request, token, starts_at=starts_at)
    try:
        return _move(request, token, starts_at=starts_at)
    except LinkExpired as expired:
        # A double click sends the form twice. The first request has just revoked the link that the second one uses.
        if (visit := _moved_a_moment_ago(expired.link, starts_at, timezone.now())) is None:
            raise
        path = visit_path(visit, proof=Proof(expired.link.proof), now=timezone.now())
        return see_other(path)


@visit_link(Capability.CHANGE_VISIT)
def _ask(
    request: LinkRequest, token: str, appointment: Appointment, now: datetime, starts_at: datetime
) -> HttpResponse:
    """Show the current and the new time. If the new time is not free, show the free times of that day (409)."""
    context = visit_context(request, appointment, now)
    context["clock"] = clock_of_visit(appointment, clinic=context["clinic"])
    day = context["clock"].day(starts_at)
    if not context["can_change"] or not appointment.service.is_booked_online:
        return _times_page(request, context, day, now)
    therapist = _asked_therapist(request.GET, appointment)
    slots = _other_slots({**context, "whom": therapist}, day, 1, now)
    if starts_at not in {slot.starts_at for slot in slots}:
        other = find_visit_then(appointment, starts_at) if context["is_mailed"] else None
        page = {"is_gone": True, **named_visit_context(other, context["clinic"])}
        return _times_page(request, context, day, now, status=409, **page)
    page = {
        "to_time": context["clock"].time(starts_at),
        "to_time_beside": context["clock"].format_beside(starts_at),
        "to_therapist": therapist,
        "starts_at": starts_at,
        "day": day,
        **_therapist_context(request, appointment),
    }
    return render(request, "booking/move.html", context | page)


def _asked_therapist(sent: QueryDict, appointment: Appointment) -> Therapist:
    slug = sent.get("to") or appointment.therapist.slug
    if not slug_re.match(slug):  # a NUL would make Postgres raise DataError
        raise Http404
    return get_object_or_404(Therapist, slug=slug)


@visit_link(Capability.CHANGE_VISIT)
def _move(
    request: LinkRequest, token: str, appointment: Appointment, now: datetime, starts_at: datetime
) -> HttpResponse:
    therapist = _asked_therapist(request.POST, appointment)
    if page := move_over_budget(request, token, appointment, now, to=starts_at):
        return page
    try:
        visit = move_appointment(
            appointment=appointment,
            starts_at=starts_at,
            therapist=therapist,
            is_own=request.proof >= Proof.MAILED,
            version=asked_version(request),
            now=now,
        )
    except VisitChanged:
        return changed_meanwhile(request, appointment, now, wanted="move")
    except (TooLateToChange, SlotTaken, SlotNotOffered, BusyTryAgain) as refusal:
        context = visit_context(request, Appointment.objects.get(pk=appointment.pk), now)
        is_busy = isinstance(refusal, BusyTryAgain)
        day = clock_of_visit(appointment, clinic=context["clinic"]).day(starts_at)
        status = 503 if is_busy else 409
        more = {"is_gone": not is_busy, "is_busy": is_busy, **own_visit_context(refusal, context["clinic"])}
        return _times_page(request, context, day, now, status=status, **more)
    return see_other(visit_path(visit, proof=request.proof, now=now))


def _moved_a_moment_ago(link: PatientLink, starts_at: datetime, now: datetime) -> Appointment | None:
    if link.revoked_at is None or now - link.revoked_at > SENT_TWICE_WITHIN:
        return None
    here = Appointment.objects.filter(pk=link.subject_id, patient=link.patient_id, starts_at=starts_at)
    moved = AppointmentEvent.Kind.MOVED  # only moves by the patient: a move by staff revokes the link too
    here = here.filter(events__kind=moved, events__at=link.revoked_at, events__by=None)
    return here.select_related("patient").filter(status=Appointment.Status.BOOKED).first()
