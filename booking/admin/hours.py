"""When the clinic is open, and the exceptions."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminDateWidget
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone

from booking.actions.block_time import block_time, close_on_holiday, holiday_rows
from booking.forms.hours import HoursOverrideForm, visits_in_the_way_words
from booking.forms.staff import ClinicClockInput
from booking.models import Appointment, HoursOverride, OpeningHours
from booking.schedule.errors import VisitsInTheWay
from clinic.audit.searching import SteadyChangeList
from clinic.practice.fields.typed_times import InForceDayField, StaffMomentField, TimeOfDayField
from clinic.practice.saving.guarded_saving import GuardedSaving
from clinic.practice.saving.stale_saving import RefusesStaleSaves
from clinic.practice.values.dates import format_day, format_named_time
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
    def opening(self, hours):
        return format_named_time(hours.opens)

    @admin.display(description="closes", ordering="closes")
    def closing(self, hours):
        return format_named_time(hours.closes)


@admin.register(HoursOverride)
class HoursOverrideAdmin(RefusesStaleSaves, GuardedSaving, admin.ModelAdmin):
    """ "Block time": closing goes through the domain function, which locks the schedule it reads; a change of stored rows is
    asked about by the guard, which locks all schedules."""

    form = HoursOverrideForm
    formfield_overrides = {models.DateTimeField: {"form_class": StaffMomentField, "widget": ClinicClockInput}}
    list_display = ("kind", "whom", "starts_at", "ends_at", "note")
    list_display_links = ("kind", "starts_at")
    list_filter = ("kind", "therapist")
    list_select_related = ("therapist",)
    date_hierarchy = "starts_at"

    change_list_template = "booking/admin_overrides.html"

    def get_changelist(self, request, **kwargs):
        return SteadyChangeList

    def _names_patients(self, request) -> bool:
        """Whether this member of staff may learn who is booked in a time."""
        return self.admin_site.get_model_admin(Appointment).has_view_permission(request)

    def get_form(self, request, obj=None, **kwargs):
        form = super().get_form(request, obj, **kwargs)
        form.names_patients = self._names_patients(request)
        return form

    @admin.display(description="whom", ordering="therapist")
    def whom(self, override):
        return override.therapist or "everybody"

    def get_urls(self):
        view = self.admin_site.admin_view(self.holidays_view)
        return [path("holidays/", view, name="booking_hoursoverride_holidays"), *super().get_urls()]

    def holidays_view(self, request):
        """The federal holidays of the next twelve months, each closed for everybody by one click."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._holidays_page(request)

    def _holidays_page(self, request):
        today = timezone.localdate()
        rows = holiday_rows(first_day=today, zone=timezone.get_current_timezone())
        if request.method == "POST":
            chosen = [row for row in rows if row.holiday.on.isoformat() == request.POST.get("on")]
            for row in chosen:
                self._close_on(request, row)
            return see_other(request.path)
        context = {
            **self.admin_site.each_context(request),
            "title": "Federal holidays",
            "opts": self.opts,
            "rows": rows,
            "names_patients": self._names_patients(request),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "booking/admin_holidays.html", context)

    def _close_on(self, request, row):
        try:
            close_on_holiday(row, despite_visits=bool(request.POST.get("despite_visits")), by=request.user)
        except VisitsInTheWay as refusal:
            self._warn_of(request, refusal)
        else:
            self.message_user(request, f"Closed on {row.holiday.name}, {format_day(row.holiday.on)}.", messages.SUCCESS)

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        is_asked = object_id is None and bool(request.POST.get("despite_visits"))  # `block_time` locks and asks
        change = super(GuardedSaving, self).changeform_view if is_asked else super().changeform_view
        try:
            return change(request, object_id, form_url, extra_context)
        except VisitsInTheWay as refusal:  # booked between the form's look and the lock
            self._warn_of(request, refusal)
            return HttpResponseRedirect(request.path)

    def _warn_of(self, request, refusal):
        words = visits_in_the_way_words(refusal.visits, named=self._names_patients(request))
        self.message_user(request, words, messages.ERROR)

    def save_model(self, request, obj, form, change):
        if change or obj.kind != HoursOverride.Kind.CLOSURE:
            obj.created_by = obj.created_by or request.user
            super().save_model(request, obj, form, change)
            return
        closure = block_time(
            therapist=obj.therapist,
            starts_at=obj.starts_at,
            ends_at=obj.ends_at,
            note=obj.note,
            despite_visits=form.cleaned_data["despite_visits"],
            by=request.user,
        )
        obj.pk = closure.pk
