"""The clinic's page in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Model
from django.forms import ModelForm, Script
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from clinic.practice.access.staff import staff_of
from clinic.practice.admin.contact import ReadableContact
from clinic.practice.fields.form_fields import ClinicForm
from clinic.practice.fields.typed_times import TimeOfDayField
from clinic.practice.models import Clinic
from clinic.practice.saving.clinic_changes import update_outdated
from clinic.practice.saving.guarded_saving import GuardedSaving
from clinic.practice.saving.stale_saving import RefusesStaleSaves


@admin.register(Clinic)
class ClinicAdmin(RefusesStaleSaves, ReadableContact, GuardedSaving, admin.ModelAdmin):
    """There is at most one row: the list redirects to it, or to the form that adds it."""

    form = ClinicForm
    formfield_overrides = {models.TimeField: {"form_class": TimeOfDayField, "widget": forms.TextInput}}
    change_form_template = add_form_template = "practice/admin_clinic.html"
    fieldsets = (
        (None, {"fields": ("name", "legal_line", "phone", "email", "emergency_number")}),
        ("Address", {"fields": ("street", "city", "region", "postal_code", "country", "time_zone", "directions")}),
        ("Map position", {"fields": ("latitude", "longitude")}),
        ("Visits", {"fields": ("what_to_bring", "minimum_notice_minutes", "horizon_days")}),
        ("Changing a visit", {"fields": ("change_window_hours", "change_policy")}),
        ("Booking limits", {"fields": ("bookings_a_day_per_address", "bookings_a_day_per_network")}),
        ("Messages", {"fields": ("quiet_from", "quiet_until")}),
        ("Articles", {"fields": ("shows_unreviewed_articles",)}),
    )

    class Media:
        js = [Script("js/zone.js", defer=True)]

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm]:
        form = super().get_form(request, obj, change, **kwargs)
        assert issubclass(form, ClinicForm)
        form.by = staff_of(request)
        return form

    def save_model(self, request: HttpRequest, obj: Clinic, form: ClinicForm, change: bool) -> None:
        """Save the clinic. On a change, also update items that were sent with the old details.

        Notifies their patients if staff chose that in the form.
        """
        before = Clinic.objects.current()
        super().save_model(request, obj, form, change)
        if change:
            update_outdated(before, obj, is_told=form.is_told, now=timezone.now())

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not (self.has_view_permission(request) or self.has_add_permission(request)):
            raise PermissionDenied
        if Clinic.objects.exists():
            return HttpResponseRedirect(reverse("admin:practice_clinic_change", args=[1]))
        return HttpResponseRedirect(reverse("admin:practice_clinic_add"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not Clinic.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
