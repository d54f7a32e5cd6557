"""When the clinic is open, and the exceptions."""

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpResponseRedirect

from booking.admin.clock import ByClinicClock
from booking.closures import block_time
from booking.forms import ClinicClockInput, HoursOverrideForm, visits_in_the_way_words
from booking.models import HoursOverride, OpeningHours
from booking.refusals import VisitsInTheWay


@admin.register(OpeningHours)
class OpeningHoursAdmin(admin.ModelAdmin):
    list_display = ("therapist", "weekday", "opens", "closes", "valid_from", "valid_until")
    list_display_links = ("therapist", "weekday")
    list_filter = ("therapist", "weekday")
    list_select_related = ("therapist",)


@admin.register(HoursOverride)
class HoursOverrideAdmin(ByClinicClock, admin.ModelAdmin):
    """ "Block time": closing goes through the domain function, which locks the diary it looks into."""

    form = HoursOverrideForm
    formfield_overrides = {models.DateTimeField: {"form_class": forms.DateTimeField, "widget": ClinicClockInput}}
    list_display = ("kind", "whom", "starts_at", "ends_at", "note")
    list_display_links = ("kind", "starts_at")
    list_filter = ("kind", "therapist")
    list_select_related = ("therapist",)
    date_hierarchy = "starts_at"

    @admin.display(description="whom", ordering="therapist")
    def whom(self, override):
        return override.therapist or "everybody"

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except VisitsInTheWay as refusal:  # booked between the form's look and the lock
            self.message_user(request, visits_in_the_way_words(refusal.visits), messages.ERROR)
            return HttpResponseRedirect(request.path)

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
