"""Visits in the admin. Read-only: changes go through the domain functions, never by editing a row."""

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST, require_safe

from booking.actions.block_time import askable_visits, may_ask_to_move
from booking.actions.change import is_changeable, is_undoable
from booking.admin.book import BooksVisits
from booking.admin.calendar import calendar_urls
from booking.admin.card import VisitCard
from booking.admin.move import VisitMoves, format_event
from booking.admin.times import UnmarkedFilter, WhenFilter, local_time
from booking.models import Appointment
from booking.models.visit_states import Outcome, State
from booking.schedule.off_schedule import find_off_schedule
from booking.schedule.rules import is_in_blocked_time
from booking.staff.moves import undoable_moves
from booking.staff.rights import SEES_SOURCE
from booking.staff.visit_status import cancel_buttons, fee_buttons, mark_buttons, status_chips
from clinic.audit.admin import KeepsNoLog, PrivateSearch, RecordsAccess
from clinic.practice.access.staff import staff_of
from clinic.practice.admin.columns import moment_column
from clinic.practice.models import Clinic, User
from clinic.practice.people.search import FindsPeople
from clinic.practice.registry.panels import Page, panel_fields
from clinic.practice.registry.rights import may_see
from clinic.practice.templatetags.practice_tags import minutes as minutes_words
from clinic.practice.templatetags.practice_tags import phone_link
from clinic.practice.values.money import format_money

if TYPE_CHECKING:
    from django.contrib.admin.options import _FieldsetSpec

CHIPS = {"held": "chip-quiet", "booked": "chip-ok", "cancelled": "chip-quiet", "completed": "chip-quiet"}
INTAKE_CHIPS = {"none": "chip-warn", "part": "chip-warn", "done": "chip-ok"}

# Panels that rooms registered, by the part of the page to which they are added.
PANELS = {"Before the visit": Page.BEFORE_VISIT, "What happened": Page.AFTER_VISIT}


def _find_visit(object_id: str | None) -> Appointment | None:
    """Find the visit with this id. None for a malformed or unknown id, which Django's admin reports."""
    try:
        return Appointment.objects.filter(pk=uuid.UUID(object_id or "")).first()
    except ValueError:
        return None


def _acts_context(visit: Appointment, *, by: User, now: datetime) -> dict[str, Any]:
    """Return the context of a visit's page: the acts that are allowed now, and why the visit is off schedule."""
    clinic = Clinic.objects.current()
    return {
        "may_act": True,
        "may_move": is_changeable(visit, clinic=clinic, by=by, now=now),
        "off_schedule": find_off_schedule(visit, now=now).sentences,
        "may_undo": is_undoable(visit, now=now),
        "cancel": cancel_buttons(visit, by=by, clinic=clinic, now=now),
        "marks": mark_buttons(visit, by=by, clinic=clinic, now=now) + fee_buttons(visit, clinic=clinic),
        "undo_moves": undoable_moves(by=by, visit=visit, now=now),
        "may_ask_to_move": may_ask_to_move(visit, now=now),
        "block_to_ask": _block_to_ask(visit, by=by, now=now),
    }


def _block_to_ask(visit: Appointment, *, by: User, now: datetime) -> str:
    """Return the address of the form that blocks the visit's time and asks the patient; empty if that cannot be done.

    Only a patient whose time is blocked can be asked for another: a free time would be offered to others.
    """
    may_block = by.has_perm("booking.add_hoursoverride") and not is_in_blocked_time(visit)
    if not may_block or not askable_visits([visit], now=now):
        return ""
    query = {
        "therapist": visit.therapist_id,
        "starts_at": local_time(visit.starts_at).typed,
        "ends_at": local_time(visit.ends_at).typed,
        "back": reverse("admin:booking_appointment_change", args=[visit.pk]),
    }
    return reverse("admin:booking_hoursoverride_add", query=query)


@admin.register(Appointment)
class AppointmentAdmin(KeepsNoLog, RecordsAccess, FindsPeople, PrivateSearch, BooksVisits, VisitMoves, VisitCard):
    phones, names = ("other_phone",), ("reference",)
    list_filter = (WhenFilter, "status", UnmarkedFilter, "therapist", "service")
    list_select_related = ("patient", "service", "therapist", "intake", "source_article")
    list_per_page = 50
    date_hierarchy = "starts_at"
    search_fields = ("patient__search_text", "other_phone", "reference")
    search_help_text = "Parts of a name, an email or a phone number, or a reference such as RC-7K3M9Q"
    change_form_template = "booking/admin_visit.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "when",
                    "patient_link",
                    "phone",
                    "what",
                    "agreed",
                    "guardian_name",
                    "therapist",
                    "status",
                    "reference",
                )
            },
        ),
        (
            "Before the visit",
            {"fields": ("not_coming", "confirmed")},
        ),
        ("What happened", {"fields": ("history", "here", "arrived", "began", "done", "canceled", "late_fee")}),
        (
            "Details",
            {"fields": ("blocked_time", "visitor_time_zone", "version", "sequence"), "classes": ("collapse",)},
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Appointment | None = None) -> "_FieldsetSpec":
        """Add the registered panels that the user may see."""
        panels = {title: panel_fields(page, user=staff_of(request)) for title, page in PANELS.items()}
        shown: Any = [  # the stubs do not know that a field may be a function
            (title, {**options, "fields": [*options["fields"], *panels.get(title or "", ())]})
            for title, options in self.fieldsets
        ]
        return shown

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        state = "chips_with_source" if self._sees_source(request) else "chips"
        return "when", "patient", "what", state, "therapist"

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Refuse a query string that filters by the article a patient came from, without the permission to see it."""
        if lookup.startswith("source_article") and not self._sees_source(request):
            return False
        return super().lookup_allowed(lookup, value, request)

    def _sees_source(self, request: HttpRequest) -> bool:
        return may_see(staff_of(request), [SEES_SOURCE])

    def get_queryset(self, request: HttpRequest) -> QuerySet[Appointment]:
        now = timezone.now()
        visits = Appointment.objects.with_has_been_here(now=now).with_was_texted()
        return visits.exclude(status=Appointment.Status.HELD, hold_expires_at__lte=now)

    def has_change_permission(self, request: HttpRequest, obj: Appointment | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Appointment | None = None) -> bool:
        return False

    # Columns and fields

    not_coming = moment_column("not_coming_at", "told us that they cannot come")
    confirmed = moment_column("confirmed_at", "confirmed")
    here = moment_column("here_at", "said “I’m here”")
    arrived = moment_column("arrived_at", "arrived")
    began = moment_column("started_at", "began")
    done = moment_column("finished_at", "done")
    canceled = moment_column("cancelled_at", "canceled")

    @admin.display(description="when", ordering="starts_at")
    def when(self, visit: Appointment) -> str:
        return format_html('<span class="clock">{}</span>', local_time(visit.starts_at).short)

    @admin.display(description="what", ordering="service")
    def what(self, visit: Appointment) -> str:
        return f"{visit.service.name}, {visit.get_mode_display()}"

    @admin.display(description="state")
    def chips(self, visit: Appointment) -> str:
        chips = [(CHIPS.get(visit.status, "chip-warn"), visit.get_status_display())]
        if not visit.has_been_here:
            chips.append(("chip-new", "new"))
        if visit.is_to_be_confirmed_by_phone:
            chips.append(("chip-warn", "no email: call to confirm"))
        if visit.outcome_at(timezone.now()) == Outcome.UNMARKED:
            chips.append(("chip-warn", "unmarked: did they come?"))
        if visit.status == Appointment.Status.BOOKED:
            known = status_chips(visit, zone=timezone.get_current_timezone(), now=timezone.now())
            chips += [(chip.look, chip.text) for chip in known]
        elif visit.late_fee:
            chips.append(("chip-quiet", f"late fee {visit.get_late_fee_display()}"))
        if visit.guardian_name:
            chips.append(("chip-warn", f"under 18: with {visit.guardian_name}"))
        if visit.intake:
            chips.append((INTAKE_CHIPS[visit.intake.progress], f"intake {visit.intake.progress}"))
        elif visit.service.intake_slug:
            chips.append(("chip-warn", "questions not started"))
        return format_html_join(" ", '<span class="chip {}">{}</span>', chips)

    @admin.display(description="state")
    def chips_with_source(self, visit: Appointment) -> str:
        """The chips, and the article that the patient came from."""
        if visit.source_article is None:
            return self.chips(visit)
        return format_html(
            '{} <span class="chip chip-quiet">from: {}</span>', self.chips(visit), visit.source_article.title
        )

    @admin.display(description="agreed")
    def agreed(self, visit: Appointment) -> str:
        """The length, price and late fee that the visit was booked with."""
        terms = f"{minutes_words(visit.minutes)}, {format_money(visit.price_cents)}"
        return f"{terms}. {visit.late_fee_text}" if visit.late_fee_text else terms

    @admin.display(description="history")
    def history(self, visit: Appointment) -> str:
        events = visit.events.select_related("by", "therapist")
        lines = ((local_time(event.at).short, format_event(event), event.by or "the patient") for event in events)
        rows = [format_html("{}: {}, by {}", *line) for line in lines]
        if visit.state == State.COMPLETED:  # by `complete_visits`, which writes no event
            completed_at = max(visit.ends_at, visit.arrived_at or visit.ends_at)
            rows.append(format_html("{}: completed automatically", local_time(completed_at).short))
        return format_html_join(mark_safe("<br>"), "{}", ((line,) for line in rows)) or self.get_empty_value_display()

    @admin.display(description="blocked time")
    def blocked_time(self, visit: Appointment) -> str:
        return f"{local_time(visit.blocked.lower).short} – {local_time(visit.blocked.upper).clock}"

    @admin.display(description="patient")
    def patient_link(self, visit: Appointment) -> str:
        if visit.patient is None:
            return self.get_empty_value_display()
        if visit.patient.erased_at is not None:
            return visit.patient.name
        url = reverse("admin:practice_patient_change", args=[visit.patient_id])
        unsure = mark_safe(' <span class="chip chip-warn">address not confirmed</span>')
        return format_html(
            '<a href="{}">{}</a>{}', url, visit.patient.name, unsure if visit.patient.is_provisional else ""
        )

    @admin.display(description="phone")
    def phone(self, visit: Appointment) -> str:
        """The patient's number, and the one given at booking if it differs, as links that dial.

        Also says if the patient has to be called to confirm the visit.
        """
        clinic = Clinic.objects.current()
        own = phone_link(visit.patient.phone, clinic) if visit.patient else ""
        other = phone_link(visit.other_phone, clinic)
        lines = [own or ("none" if other else "")]
        if other:
            lines.append(format_html("{} was given with this booking and is not confirmed", other))
        if visit.is_to_be_confirmed_by_phone:
            lines.append("no email: call to confirm")
        return (
            format_html_join(mark_safe("<br>"), "{}", ((line,) for line in lines if line))
            or self.get_empty_value_display()
        )

    # Pages

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Visits", **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        act = self.admin_site.admin_view(require_POST(self.act_view))
        card = self.admin_site.admin_view(require_safe(self.card_view))
        move = self.admin_site.admin_view(self.move_view)
        return [
            *calendar_urls(self),
            path("<uuid:pk>/act/<slug:act>/", act, name="booking_appointment_act"),
            path("<uuid:pk>/card/", card, name="booking_appointment_card"),
            path("<uuid:pk>/move/", move, name="booking_appointment_move"),
            *super().get_urls(),
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        visit, context = _find_visit(object_id), {"title": "Visit"}
        if visit is not None and self.has_act_permission(request):
            context |= _acts_context(visit, by=staff_of(request), now=timezone.now())
        return super().changeform_view(request, object_id, form_url, context | (extra_context or {}))
