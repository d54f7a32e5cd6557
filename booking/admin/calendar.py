"""The calendar of visits in the admin: week, day and month."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_safe

from booking.staff.moves import undoable_moves
from booking.time.hours_text import DAYS
from booking.week.addresses import Asked, View, read_asked
from booking.week.blocks import LEGEND, NO_ID, Rights
from booking.week.month import show_month
from booking.week.page import show_days
from clinic.audit.reading import note_shown
from clinic.practice.access.staff import staff_of
from clinic.practice.models import Clinic, Therapist


def calendar_urls(model_admin: admin.ModelAdmin) -> list[URLPattern]:
    """Return the URL of the calendar, a page of `model_admin`, the admin of visits."""

    def view(request: HttpRequest) -> HttpResponse:
        return _calendar_view(request, model_admin)

    checked = model_admin.admin_site.admin_view(require_safe(view))
    return [path("calendar/", checked, name="booking_appointment_calendar")]


def _calendar_view(request: HttpRequest, model_admin: admin.ModelAdmin) -> TemplateResponse:
    """Show a week, a day or a month. The patients whose names are shown are noted for the audit log.

    Raises PermissionDenied.
    """
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    now, clinic, by = timezone.now(), Clinic.objects.current(), staff_of(request)
    therapists = list(Therapist.objects.all())
    asked = read_asked(request.GET, therapists=therapists, clinic=clinic, now=now)
    page: dict[str, Any] = {"asked": asked, "views": _views(asked), "therapists": _choices(therapists, asked)}
    if asked.view == View.MONTH:
        page |= {"weeks": show_month(asked, now=now, clinic=clinic), "weekdays": DAYS}
    else:
        shown = show_days(asked, by=by, now=now, clinic=clinic)
        rights = Rights.of(by)
        moves = undoable_moves(by=by, now=now) if rights.moves else []
        moved = {move.visit.booked_patient.pk for move in moves}
        note_shown(shown.patient_ids | moved, subject=(model_admin.opts.label_lower, ""))
        page |= {"shown": shown, "legend": LEGEND, "rights": rights, "no_id": NO_ID}
        page |= {"undo_moves": moves, "back": asked.own}
    request.current_app = model_admin.admin_site.name
    context = {**model_admin.admin_site.each_context(request), "opts": model_admin.opts, "title": "Calendar", **page}
    return TemplateResponse(request, "booking/admin_calendar.html", context)


def _views(asked: Asked) -> list[tuple[str, str, bool]]:
    """Return (name, address, whether it is shown) of day, week and month."""
    return [(view.value.capitalize(), asked.address(view=view), view == asked.view) for view in View]


def _choices(therapists: list[Therapist], asked: Asked) -> list[tuple[str, str, bool]]:
    """Return (name, address, whether it is chosen) of everyone together and of each therapist who sees patients.

    Empty if there is only one to choose from.
    """
    listed = [one for one in therapists if one.is_active or one == asked.therapist]
    if len(listed) < 2:
        return []
    choices = [("Everyone", asked.address(therapist=None), asked.therapist is None)]
    return choices + [(one.name, asked.address(therapist=one), one == asked.therapist) for one in listed]
