"""Opening hours and overrides (closures and extra hours) in the admin."""

from contextlib import suppress
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AdminDateWidget
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from booking.actions.block_time import HolidayRow, block_time, block_time_and_ask, close_on_holiday, holiday_rows
from booking.admin.error_text import format_refusal
from booking.admin.times import local_time
from booking.forms.hours import HoursOverrideForm, format_visits_in_the_way
from booking.forms.staff import ClinicClockInput
from booking.models import Appointment, HoursOverride, OpeningHours
from booking.schedule.errors import BookingRefused, VisitsInTheWay
from booking.schedule.local_time import TYPED_FORMAT
from clinic.audit.admin import LogsNoName
from clinic.audit.searching import SteadyChangeList
from clinic.practice.access.staff import staff_of
from clinic.practice.fields.typed_times import InForceDayField, StaffMomentField, TimeOfDayField
from clinic.practice.models import Therapist
from clinic.practice.saving.guarded_saving import GuardedSaving
from clinic.practice.saving.stale_saving import RefusesStaleSaves
from clinic.practice.values.dates import format_day, format_named_time
from clinic.responses.admin_addresses import local_back
from clinic.responses.redirects import see_other


@admin.register(OpeningHours)
class OpeningHoursAdmin(RefusesStaleSaves, GuardedSaving, admin.ModelAdmin):
    formfield_overrides = {
        models.TimeField: {"form_class": TimeOfDayField, "widget": forms.TextInput},
        models.DateField: {"form_class": InForceDayField, "widget": AdminDateWidget},
    }
    list_display = ("therapist", "weekday", "opening", "closing", "mode", "valid_from", "valid_until")
    list_display_links = ("therapist", "weekday")
    list_filter = ("therapist", "weekday", "mode")
    list_select_related = ("therapist",)

    @admin.display(description="opens", ordering="opens")
    def opening(self, hours: OpeningHours) -> str:
        return format_named_time(hours.opens)

    @admin.display(description="closes", ordering="closes")
    def closing(self, hours: OpeningHours) -> str:
        return format_named_time(hours.closes)


@admin.register(HoursOverride)
class HoursOverrideAdmin(RefusesStaleSaves, GuardedSaving, LogsNoName):
    """Closures and extra hours, which staff see as "blocked and extra time".

    A new closure is created by `block_time`, which locks the schedules that it concerns. For a change of a stored row,
    the guard locks all schedules and asks for confirmation if visits are affected.
    """

    form = HoursOverrideForm
    formfield_overrides = {models.DateTimeField: {"form_class": StaffMomentField, "widget": ClinicClockInput}}
    list_display = ("when", "kind", "whom", "note")
    list_display_links = ("when",)
    list_filter = ("kind", "therapist")
    list_select_related = ("therapist",)
    date_hierarchy = "starts_at"

    change_list_template = "booking/admin_overrides.html"
    add_form_template = "booking/admin_block_time.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return SteadyChangeList

    def _names_patients(self, request: HttpRequest) -> bool:
        """Whether the user may see whose visits are in the way."""
        return self.admin_site.get_model_admin(Appointment).has_view_permission(request)

    def get_form(
        self, request: HttpRequest, obj: models.Model | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:
        form = super().get_form(request, obj, change=change, **kwargs)
        may_ask = request.user.has_perm("booking.change_appointment")
        return type(form.__name__, (form,), {"names_patients": self._names_patients(request), "may_ask": may_ask})

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, str | list[str]]:
        """Fill in therapist, start, end and note from the query string. Times are the clinic's, like 2026-12-01T09:00."""
        found: dict[str, str | list[str]] = {"note": request.GET["note"]} if "note" in request.GET else {}
        for name in ("starts_at", "ends_at"):
            with suppress(ValueError):
                found[name] = datetime.fromisoformat(request.GET.get(name, "")).strftime(TYPED_FORMAT)
        with suppress(ValueError):
            found["therapist"] = str(UUID(request.GET.get("therapist", "")))
        return found

    def response_add(
        self, request: HttpRequest, obj: models.Model, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Say how many patients were asked to move. Return to the page in `back` of the query string, if any."""
        response = super().response_add(request, obj, post_url_continue)
        if count := cast(HoursOverride, obj).asked_count:
            who = f"{count} patient{'' if count == 1 else 's'}"
            self.message_user(request, f"{who} asked to choose another time.", messages.SUCCESS)
        back = local_back(request.GET.get("back", ""))
        return see_other(back) if back and "_save" in request.POST else response

    @admin.display(description="when", ordering="starts_at")
    def when(self, override: HoursOverride) -> str:
        return override.when

    @admin.display(description="for", ordering="therapist")
    def whom(self, override: HoursOverride) -> Therapist | str:
        return override.therapist or "all therapists"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.holidays_view)
        return [path("holidays/", view, name="booking_hoursoverride_holidays"), *super().get_urls()]

    def holidays_view(self, request: HttpRequest) -> HttpResponse:
        """Show the federal holidays of the next 12 months, each with a button that blocks it for all therapists.

        A POST blocks one of them. If visits are booked on it, it leads to the form for blocked time instead, filled in,
        which lists them and offers their patients other times. Raises PermissionDenied.
        """
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._holidays_page(request)

    def _holidays_page(self, request: HttpRequest) -> HttpResponse:
        today = timezone.localdate()
        rows = holiday_rows(first_day=today, zone=timezone.get_current_timezone())
        if request.method == "POST":
            chosen = [row for row in rows if row.holiday.on.isoformat() == request.POST.get("on")]
            return see_other(self._close_on(request, chosen[0]) if chosen else request.path)
        context = {
            **self.admin_site.each_context(request),
            "title": "Federal holidays",
            "opts": self.opts,
            "rows": rows,
            "names_patients": self._names_patients(request),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "booking/admin_holidays.html", context)

    def _close_on(self, request: HttpRequest, row: HolidayRow) -> str:
        """Block the holiday unless visits are in the way, and return the address of the page that is next."""
        day = f"{row.holiday.name}, {format_day(row.holiday.on)}"
        try:
            close_on_holiday(row, despite_visits=False, by=staff_of(request))
        except VisitsInTheWay:
            self.message_user(request, f"Not closed yet: visits are booked on {day}.", messages.WARNING)
            times = {"starts_at": local_time(row.day.start).typed, "ends_at": local_time(row.day.end).typed}
            query = times | {"note": row.holiday.name, "back": request.path}
            return reverse("admin:booking_hoursoverride_add", query=query)
        except BookingRefused as refusal:
            self.message_user(request, f"Nothing was blocked. {format_refusal(refusal)}", messages.ERROR)
        else:
            self.message_user(request, f"Closed on {day}.", messages.SUCCESS)
        return request.path

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        # A new closure that was confirmed skips the guard: `block_time` locks the schedules.
        is_asked = object_id is None and bool(request.POST.get("despite_visits"))
        change = super(GuardedSaving, self).changeform_view if is_asked else super().changeform_view
        try:
            return change(request, object_id, form_url, extra_context)
        except VisitsInTheWay as refusal:  # booked between the form's check and the lock
            self._warn_of(request, refusal)
            return HttpResponseRedirect(request.get_full_path())
        except BookingRefused as refusal:  # a visit changed between the form's check and the lock, or a lock timed out
            self.message_user(request, f"Nothing was blocked. {format_refusal(refusal)}", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def _warn_of(self, request: HttpRequest, refusal: VisitsInTheWay) -> None:
        text = format_visits_in_the_way(refusal.visits, named=self._names_patients(request))
        self.message_user(request, text, messages.ERROR)

    def save_model(self, request: HttpRequest, obj: HoursOverride, form: forms.ModelForm, change: bool) -> None:
        if change or obj.kind != HoursOverride.Kind.CLOSURE:
            obj.created_by = obj.created_by or staff_of(request)
            super().save_model(request, obj, form, change)
            return
        block: dict[str, Any] = {
            "therapist": obj.therapist,
            "starts_at": obj.starts_at,
            "ends_at": obj.ends_at,
            "note": obj.note,
            "by": staff_of(request),
        }
        seen, asks = cast(HoursOverrideForm, form).seen, cast(HoursOverrideForm, form).asks
        if asks:
            obj.pk = block_time_and_ask(**block, seen=seen, asks=asks, now=timezone.now()).pk
            obj.asked_count = len(asks)
        else:
            obj.pk = block_time(**block, despite_visits=form.cleaned_data["despite_visits"], seen=seen).pk
