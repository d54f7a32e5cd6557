"""The card of a visit: what staff need of it in a moment, and its buttons. A page, and a part of a page for htmx."""

import uuid
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from booking.actions.change import is_changeable, is_undoable
from booking.admin.acts import TOLD_BY, VisitActs, is_only_mine
from booking.admin.times import local_time
from booking.models import Appointment
from booking.staff.todays_visits import CALL, DAY, UNMARKED, read_row
from booking.staff.visit_status import cancel_buttons, fee_buttons, mark_buttons, status_chips
from clinic.audit.reading import note_shown
from clinic.practice.access.staff import staff_of
from clinic.practice.models import Clinic, User
from clinic.practice.registry.panels import Page, panels_of
from clinic.practice.registry.rights import may_see
from clinic.responses.admin_addresses import local_back
from clinic.responses.htmx import is_htmx

ROW, CARD = "admin/_today_visit.html", "booking/_admin_card.html"
LISTS = {"today": DAY, "unmarked": UNMARKED, "call": CALL}  # on Today, by where the pressed button is


class VisitCard(VisitActs):
    """Adds the card to the admin of visits, and returns the row or the card to htmx after an act."""

    def card_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Show the card of a visit, or redirect to the visit's page if it has none. Raises PermissionDenied.

        `next` in the query string is the page of the admin that the card leads back to.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        visit = _find_visit(pk)
        if visit is None:
            return self._to_visit(pk)
        context = self._card(request, visit, came_from=local_back(request.GET.get("next", "")))
        if is_htmx(request):
            response = render(request, CARD, context)
        else:
            request.current_app = self.admin_site.name
            context |= {**self.admin_site.each_context(request), "opts": self.opts, "title": "Visit"}
            response = TemplateResponse(request, "booking/admin_card.html", context)
        patch_vary_headers(response, ["HX-Request"])
        return response

    def part_of(self, request: HttpRequest, pk: uuid.UUID, *, is_done: bool) -> HttpResponse | None:
        """Return the row of Today or the card, whichever has the pressed button, with the refusal if there is one."""
        back, by, now = request.POST.get("back", ""), staff_of(request), timezone.now()
        visit = _find_visit(pk) if back == "card" or back in LISTS else None
        if visit is None:
            return None
        if back == "card":
            context = self._card(request, visit, came_from=local_back(request.POST.get("next", "")))
            return render(request, CARD, {**context, "notes": _notes(request), "is_swapped": True})
        clinic = Clinic.objects.current()
        context = read_row(pk, listing=LISTS[back], is_done=is_done, now=now, clinic=clinic, by=by)
        if "visit" not in context:
            return None  # canceled meanwhile: it has no row
        context |= {"clinic": clinic, "only_mine": is_only_mine(request)}
        return render(request, ROW, {**context, "notes": _notes(request), "is_swapped": True})

    def _card(self, request: HttpRequest, visit: Appointment, *, came_from: str) -> dict[str, Any]:
        note_shown([visit.patient_id], subject=(self.opts.label_lower, str(visit.pk)))
        context = card_context(visit, by=staff_of(request), now=timezone.now())
        query = {"next": came_from} if came_from else None
        own = reverse("admin:booking_appointment_card", args=[visit.pk], query=query)
        return {**context, "came_from": came_from, "own_path": own}


def _notes(request: HttpRequest) -> list[Message]:
    """Take the messages of the act that are shown in place: refusals, and what the patient is told and when."""
    match = request.resolver_match
    least = messages.SUCCESS if match and match.kwargs.get("act") in TOLD_BY else messages.WARNING
    return [one for one in messages.get_messages(request) if one.level >= least]


def card_context(visit: Appointment, *, by: User, now: datetime) -> dict[str, Any]:
    """Return the context of the card's template, with only what `by` may see and do."""
    clinic = Clinic.objects.current()
    panels = [panel for panel in panels_of(Page.CARD) if may_see(by, [panel.permission])]
    context = {
        "appointment": visit,
        "patient": visit.booked_patient,
        "clinic": clinic,
        "time": local_time(visit.starts_at),
        "ends": local_time(visit.ends_at),
        "number": visit.number_to_call or visit.other_phone or visit.booked_patient.phone,
        "intake": visit.intake.progress if visit.intake else "",
        "is_intake_missing": bool(visit.service.intake_slug) and visit.intake is None,
        "may_read_intakes": may_see(by, ["assessments.view_response"]),
        "may_see_messages": may_see(by, ["outbox.view_message"]),
        "chips": status_chips(visit, by=by, zone=clinic.zone, now=now),
        "panels": [(panel.label, shown) for panel in panels if (shown := panel.show(visit))],
    }
    if not by.has_perm("booking.change_appointment"):
        return context
    return context | {
        "buttons": mark_buttons(visit, by=by, clinic=clinic, now=now),
        "fee_buttons": fee_buttons(visit, clinic=clinic),
        "cancel": cancel_buttons(visit, by=by, clinic=clinic, now=now),
        "may_move": is_changeable(visit, clinic=clinic, by=by, now=now),
        "may_undo": is_undoable(visit, now=now),
    }


def _find_visit(pk: uuid.UUID) -> Appointment | None:
    visits = Appointment.objects.select_related("patient", "service", "therapist", "intake")
    return visits.filter(pk=pk, patient__isnull=False).first()
