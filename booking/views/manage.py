"""The page of one visit, for who holds its link: see it, confirm it, cancel it, put it in a calendar. `moving` moves it."""

from datetime import datetime
from functools import wraps

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from booking.attendance import confirm_appointment
from booking.calendar_file import visit_calendar
from booking.changes import cancel_appointment, changeable_until, is_changeable, is_undoable, undo_cancellation
from booking.models import Appointment, WaitListEntry
from booking.refusals import BusyTryAgain, SlotTaken, TooLateToChange, TooLateToUndo, VisitCancelled
from booking.visit_links import intake_path
from booking.wording import clinic_time, place_words, visit_time, visitors_visit_time
from clinic.outbox.text_providers import has_texts
from clinic.practice.links import LinkUnknown, open_link
from clinic.practice.models import Clinic, LinkPurpose


def by_link(view):
    """Opens the link in the address and hands the view its visit. A link that does not open is answered by
    `clinic.practice.middleware`, and no page behind a link is kept by a browser or a search engine."""

    @wraps(view)
    @never_cache
    def opened(request: HttpRequest, token: str, **place) -> HttpResponse:
        now = timezone.now()
        link = open_link(token=token, purpose=LinkPurpose.VISIT, now=now)
        visits = Appointment.objects.select_related("service", "therapist", "patient", "intake")
        appointment = visits.filter(pk=link.subject_id, patient=link.patient_id).first()
        if appointment is None:
            raise LinkUnknown
        response = view(request, token, appointment, now, **place)
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return opened


@require_safe
@by_link
def visit(request: HttpRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """What, when, where, what to bring; and what can be done about it."""
    return render(request, "booking/visit.html", visit_context(token, appointment, now))


@require_http_methods(["GET", "HEAD", "POST"])
@by_link
def cancel(request: HttpRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """Ask first, since mail scanners open every link; the button cancels."""
    context = visit_context(token, appointment, now)
    if request.method != "POST":
        return render(request, "booking/cancel.html", context)
    try:
        cancel_appointment(appointment=appointment, now=now)
    except TooLateToChange:
        return render(request, "booking/cancel.html", {**context, "can_change": False}, status=409)
    return _to_visit(token)


@require_POST
@by_link
def undo(request: HttpRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """Take a cancellation back, in its first minutes. Too late or taken: the page says so."""
    try:
        undo_cancellation(appointment=appointment, now=now)
    except (TooLateToUndo, SlotTaken) as refusal:
        context = visit_context(token, appointment, now)
        page = {**context, "can_undo": False, "why_not_undone": "taken" if isinstance(refusal, SlotTaken) else "late"}
        return render(request, "booking/visit.html", page, status=409)
    except BusyTryAgain:
        return render(request, "booking/visit.html", visit_context(token, appointment, now), status=503)
    return _to_visit(token)


@require_POST
@by_link
def confirm(request: HttpRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """ "I will be there." """
    try:
        confirm_appointment(appointment=appointment, now=now)
    except (TooLateToChange, VisitCancelled):
        return render(request, "booking/visit.html", visit_context(token, appointment, now), status=409)
    return _to_visit(token)


@require_POST
@by_link
def questions(request: HttpRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """On to the questions before the visit. A button and not a link, as it makes a new link to them."""
    if appointment.intake_id is None or appointment.status != Appointment.Status.BOOKED:
        return render(request, "booking/visit.html", visit_context(token, appointment, now), status=409)
    return HttpResponseRedirect(intake_path(appointment, now=now), status=303)


@require_safe
@by_link
def calendar(request: HttpRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """The visit as a calendar file."""
    content = visit_calendar(appointment=appointment, clinic=Clinic.objects.current(), now=now)
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="visit.ics"'
    return response


def visit_context(token: str, appointment: Appointment, now: datetime) -> dict:
    """What the pages of a visit show."""
    clinic = Clinic.objects.current()
    time, there = visit_time(appointment, clinic), visitors_visit_time(appointment, clinic)
    is_standing = appointment.status == Appointment.Status.BOOKED and now < appointment.ends_at
    return {
        "token": token,
        "appointment": appointment,
        "service": appointment.service,
        "clinic": clinic,
        "time": time,
        "time_there": there.beside(time) if there else "",
        "place": place_words(appointment, clinic),
        "has_texts": has_texts(),
        "is_in_person": appointment.mode == Appointment.Mode.IN_PERSON,
        "is_cancelled": appointment.status == Appointment.Status.CANCELLED,
        "is_standing": is_standing,
        "is_ahead": is_standing and now < appointment.starts_at,
        "can_undo": is_undoable(appointment, now=now),
        "can_change": is_changeable(appointment, clinic=clinic, now=now),
        "is_on_wait_list": WaitListEntry.objects.waiting()
        .filter(patient=appointment.patient_id, service=appointment.service_id)
        .exists(),
        "changeable_until": clinic_time(changeable_until(appointment, clinic=clinic), clinic),
        "intake_progress": appointment.intake.progress if appointment.intake else None,
    }


def _to_visit(token: str) -> HttpResponse:
    return HttpResponseRedirect(reverse("booking:visit", args=[token]), status=303)
