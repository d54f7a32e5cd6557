"""The wait list pages for patients: join from the page of days or from a visit, see an entry, and leave."""

from datetime import datetime
from typing import TypedDict

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from assessments.intake.screening import forget_screen, read_screen
from booking.browser.booking_choices import BookingChoices, read_choices
from booking.forms.wait_list import JoinForm, WishesForm
from booking.limits.over_limit import join_over_budget
from booking.models import Appointment, Service, WaitListEntry
from booking.presenters.choosing import choices_context
from booking.presenters.entry import page_before
from booking.presenters.visit import visit_context, visit_link, waiting_entry
from booking.schedule.clocks import clock_of_entry, clock_of_service, clock_of_visit
from booking.schedule.rules import bookable_time
from booking.wait_list.entries import (
    LONGEST_WAIT,
    Wishes,
    join_as_visitor,
    join_wait_list,
    leave_wait_list,
    unexpired_entries,
)
from booking.wait_list.stuck_entries import why_stuck
from clinic.practice.access.proof import Capability, LinkRequest, has_proof, patient_link
from clinic.practice.models import Clinic, PatientLink
from clinic.practice.values.dates import format_days
from clinic.responses.redirects import see_other


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def join(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the form that asks a visitor for suitable days and contact details. A POST joins the wait list."""
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
    therapist = choices_context(service, choices)["therapist"]
    form = _join_form(request, service, clinic, choices, now)
    context = {
        "service": service,
        "clinic": clinic,
        "choices": choices,
        "therapist": therapist,
        "form": form,
        "step": 3,
    }
    if request.method == "POST" and form.is_valid():
        return _join(request, context, form, now)
    return render(request, "booking/join_wait_list.html", context, status=422 if form.errors else 200)


def _join_form(
    request: HttpRequest, service: Service, clinic: Clinic, choices: BookingChoices, now: datetime
) -> JoinForm:
    clock = clock_of_service(service, clinic=clinic, zone_name=choices.zone_name)
    today = clock.day(now)
    return JoinForm(
        request.POST or None,
        service=service,
        clinic=clinic,
        clock=clock,
        today=today,
        latest=today + LONGEST_WAIT,
        initial={
            "part_of_day": choices.part.slug if choices.part else "",
            "last_on": bookable_time(service, clinic=clinic, now=now).last_day(clock.zone),
        },
    )


def _join(request: HttpRequest, context: dict, form: JoinForm, now: datetime) -> HttpResponse:
    typed, service = form.cleaned_data, context["service"]
    name, email = typed["name"], typed["email"]
    if page := join_over_budget(request, "booking/join_wait_list.html", context, now, name=name, email=email):
        return page
    join_as_visitor(
        name=name,
        email=email,
        phone=typed["phone"],
        time_zone="" if service.is_only_by_clinics_clock else context["choices"].zone_name,
        service=service,
        mode=typed["mode"],
        therapist=context["therapist"],
        wishes=form.wishes,
        screen=read_screen(request.session),
        now=now,
    )
    forget_screen(request.session)
    return see_other(reverse("booking:joined_wait_list", args=[service.slug]))


@require_safe
def joined(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what happens next. The page is the same for every visitor: the link to an entry is sent only by email."""
    service = get_object_or_404(Service.objects.listed(), slug=slug)
    return render(request, "booking/joined_wait_list.html", {"service": service})


@require_http_methods(["GET", "HEAD", "POST"])
@visit_link(Capability.ASK_FOR_EARLIER)
def earlier(request: LinkRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """Show the form to wait for a time earlier than this visit's. A POST joins the wait list.

    A reader with an emailed link also sees the existing entry, and can change it or leave the list.
    """
    context = visit_context(request, appointment, now)
    may_see_place = has_proof(request, Capability.SEE_WAIT_LIST_PLACE, now=now)
    context["entry"] = entry = waiting_entry(appointment, now=now) if may_see_place else None
    if request.method == "POST" and entry is not None and "leave" in request.POST:
        leave_wait_list(entry=entry, now=now)
        return see_other(reverse("booking:visit", args=[token]))
    if not context["can_change"] or not appointment.service.is_booked_online:
        return render(request, "booking/earlier.html", context, status=409)
    clinic = context["clinic"]
    clock = clock_of_entry(entry, clinic=clinic) if entry else clock_of_visit(appointment, clinic=clinic)
    wished = {} if entry is None else {name: getattr(entry, name) for name in WishesForm.base_fields}
    today, latest = clock.day(now), clock.day(appointment.starts_at)
    form = WishesForm(request.POST or None, clock=clock, today=today, latest=latest, initial=wished)
    if request.method != "POST" or not form.is_valid():
        return render(request, "booking/earlier.html", {**context, "form": form}, status=422 if form.errors else 200)
    wish: VisitWish = {
        "service": appointment.service,
        "mode": appointment.mode,
        "appointment": appointment,
        "wishes": form.wishes,
    }
    if may_see_place:
        join_wait_list(patient=appointment.booked_patient, **wish, now=now)
        return see_other(reverse("booking:earlier", args=[token]))
    return _join_unproven(request, appointment, wish, {**context, "form": form}, now)


class VisitWish(TypedDict):
    """The arguments of `join_wait_list` and `join_as_visitor` about the wish for an earlier time."""

    service: Service
    mode: str
    appointment: Appointment
    wishes: Wishes


def _join_unproven(
    request: LinkRequest, appointment: Appointment, wish: VisitWish, context: dict, now: datetime
) -> HttpResponse:
    """Join as a visitor does: an existing entry of the same person is unchanged, and its link is sent by email."""
    patient = appointment.booked_patient
    if page := join_over_budget(request, "booking/earlier.html", context, now, name=patient.name, email=patient.email):
        return page
    join_as_visitor(name=patient.name, email=patient.email, phone=patient.phone, **wish, now=now)
    return see_other(reverse("booking:joined_wait_list", args=[appointment.service.slug]))


def _find_entry(link: PatientLink) -> WaitListEntry | None:
    entries = WaitListEntry.objects.select_related("service", "therapist")
    return entries.filter(pk=link.subject_id, patient=link.patient_id).first()


@require_safe
@patient_link(Capability.LEAVE_WAIT_LIST, load=_find_entry)
def entry(request: LinkRequest, token: str, entry: WaitListEntry, now: datetime) -> HttpResponse:
    """Show the wishes and a button to leave the list, but no visit, since anyone may have sent the form."""
    return _show_entry(request, token, entry, now)


@csrf_exempt  # email clients post here directly (RFC 8058), so without a CSRF token; the link is the proof
@require_http_methods(["GET", "HEAD", "POST"])
@patient_link(Capability.LEAVE_WAIT_LIST, load=_find_entry, accepts=False)
def leave(request: LinkRequest, token: str, entry: WaitListEntry, now: datetime) -> HttpResponse:
    """Leave the list. A GET asks first. A one-click unsubscribe by an email client gets status 204."""
    if request.method != "POST":
        return _show_entry(request, token, entry, now)
    leave_wait_list(entry=entry, now=now)
    if "List-Unsubscribe" in request.POST:
        return HttpResponse(status=204)
    return see_other(reverse("booking:waiting", args=[token]))


def _show_entry(request: LinkRequest, token: str, entry: WaitListEntry, now: datetime) -> HttpResponse:
    clinic = Clinic.objects.current()
    clock = clock_of_entry(entry, clinic=clinic)
    context = {
        "token": token,
        "entry": entry,
        "clock": clock,
        "clinic": clinic,
        "days": format_days(entry.first_on, entry.last_on, today=clock.day(now)),
        "is_waiting": unexpired_entries(now=now).filter(pk=entry.pk).exists(),
        "is_stuck": why_stuck(entry) is not None,
        "is_served": entry.status == WaitListEntry.Status.SERVED,
    }
    return render(request, "booking/waiting.html", context)
