"""The pages of one visit for the holder of its link.

They show, confirm and cancel it, undo a cancellation or a move, lead to its questions and back, and add it to a
calendar. The pages that move it are in `pages.move`.
"""

from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from booking.actions.attend import confirm_appointment
from booking.actions.change import (
    cancel_appointment,
    undo_cancellation,
    undo_move,
)
from booking.limits.over_limit import undo_over_budget
from booking.messages.invitation import visit_calendar
from booking.models import Appointment
from booking.presenters.visit import asked_version, changed_meanwhile, own_visit_context, visit_context, visit_link
from booking.schedule.errors import (
    SlotNotOffered,
    SlotTaken,
    TimeClosed,
    TooLateToChange,
    TooLateToUndo,
    VisitCancelled,
    VisitChanged,
)
from booking.schedule.visit_links import intake_path, visit_path
from clinic.practice.access.proof import Capability, LinkRequest, patient_link
from clinic.practice.models import Clinic, PatientLink, Proof
from clinic.responses.redirects import see_other

WHY_NOT_UNDONE = {SlotTaken: "taken", SlotNotOffered: "own visit", TimeClosed: "closed", TooLateToUndo: "late"}


def _find_visit_of_answers(link: PatientLink) -> Appointment | None:
    return Appointment.objects.filter(intake=link.subject_id, patient=link.patient_id).first()


@require_safe
@visit_link(Capability.SEE_VISIT)
def visit(request: LinkRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """Show the visit and what its patient can do: move, cancel, confirm, answer questions."""
    return render(request, "booking/visit.html", visit_context(request, appointment, now))


@require_http_methods(["GET", "HEAD", "POST"])
@visit_link(Capability.CHANGE_VISIT, accepts=False)
def cancel(request: LinkRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """Ask whether to cancel the visit. Only a POST cancels it, since email scanners open every link."""
    context = visit_context(request, appointment, now)
    if request.method != "POST":
        return render(request, "booking/cancel.html", context)
    try:
        cancel_appointment(appointment=appointment, version=asked_version(request), now=now)
    except VisitChanged:
        return changed_meanwhile(request, appointment, now, wanted="cancel")
    except TooLateToChange:
        return render(request, "booking/cancel.html", {**context, "can_change": False}, status=409)
    return _to_visit(token)


@require_POST
@visit_link(Capability.CHANGE_VISIT)
def undo(request: LinkRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """Undo a cancellation or a move within `UNDO_FOR`. If that is not possible, show why (409)."""
    if page := undo_over_budget(request, token, appointment, now):
        return page
    undo_it = undo_move if request.POST.get("what") == "move" else undo_cancellation
    try:
        is_own = request.proof >= Proof.MAILED
        visit = undo_it(appointment=appointment, is_own=is_own, version=asked_version(request), now=now)
    except VisitChanged:
        return changed_meanwhile(request, appointment, now, wanted="undo")
    except (TooLateToUndo, SlotTaken, SlotNotOffered, TimeClosed) as refusal:
        context = visit_context(request, appointment, now)
        context |= {"can_undo": False, "can_undo_move": False, "why_not_undone": WHY_NOT_UNDONE[type(refusal)]}
        shown = {**context, **own_visit_context(refusal, context["clinic"])}
        return render(request, "booking/visit.html", shown, status=409)
    if undo_it == undo_move:  # undoing a move is a move too, so it revokes the links
        return see_other(visit_path(visit, proof=request.proof, now=now))
    return _to_visit(token)


@require_POST
@visit_link(Capability.CHANGE_VISIT)
def confirm(request: LinkRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """Record that the patient is coming."""
    try:
        confirm_appointment(appointment=appointment, version=asked_version(request), now=now)
    except VisitChanged:
        return changed_meanwhile(request, appointment, now, wanted="confirm")
    except (TooLateToChange, VisitCancelled):
        return render(request, "booking/visit.html", visit_context(request, appointment, now), status=409)
    return _to_visit(token)


@require_POST
@visit_link(Capability.BEGIN_QUESTIONS)
def questions(request: LinkRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """Redirect to the questions to answer before the visit. Requires a POST, since it issues a link."""
    if appointment.intake_id is None or appointment.status != Appointment.Status.BOOKED:
        return render(request, "booking/visit.html", visit_context(request, appointment, now), status=409)
    return see_other(intake_path(appointment, proof=request.proof, now=now))


@require_POST
@patient_link(Capability.RETURN_TO_VISIT, load=_find_visit_of_answers)
def visit_of_answers(request: LinkRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """Redirect from the questions to the visit that they are for.

    Requires a POST, since it issues a link. The new link has the same proof as the old one.
    """
    return see_other(visit_path(appointment, proof=request.proof, now=now))


@require_safe
@visit_link(Capability.SEE_VISIT)
def calendar(request: LinkRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """Return the visit as an iCalendar file."""
    content = visit_calendar(appointment=appointment, clinic=Clinic.objects.current(), now=now)
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="visit.ics"'
    return response


def _to_visit(token: str) -> HttpResponse:
    return see_other(reverse("booking:visit", args=[token]))
