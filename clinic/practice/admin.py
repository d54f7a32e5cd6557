"""The clinic, its staff and its patients, for those who look after them."""

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from clinic.audit.admin import PrivateSearch, RecordsAccess

from .forms import PhoneField
from .models import Clinic, Patient, Therapist, User
from .patients import normalise_name
from .zones import zone_names


class ZoneField(forms.ChoiceField):
    """One of the world's time zones, or none where that means the clinic's."""

    def __init__(self, *, empty_label="", **kwargs):
        names = [(name, name.replace("_", " ")) for name in sorted(zone_names()) if "/" in name]
        choices = [("", empty_label), *names] if empty_label else names
        super().__init__(choices=choices, required=not empty_label, **kwargs)


class ClinicForm(forms.ModelForm):
    phone = PhoneField(required=False)
    time_zone = ZoneField()


@admin.register(Clinic)
class ClinicAdmin(admin.ModelAdmin):
    """One row: the list goes straight to it, or to describing it the first time."""

    form = ClinicForm
    fieldsets = (
        (None, {"fields": ("name", "legal_line", "phone", "email", "emergency_number")}),
        ("Where", {"fields": ("street", "city", "region", "postal_code", "country", "time_zone", "directions")}),
        ("On the map", {"fields": ("latitude", "longitude")}),
        ("Visits", {"fields": ("what_to_bring", "minimum_notice_minutes", "horizon_days")}),
        ("Changes", {"fields": ("change_window_hours", "change_policy")}),
        ("Against misuse", {"fields": ("bookings_a_day_per_address", "bookings_a_day_per_network")}),
        ("Messages", {"fields": ("quiet_from", "quiet_until")}),
    )

    def changelist_view(self, request, extra_context=None):
        if Clinic.objects.exists():
            return HttpResponseRedirect(reverse("admin:practice_clinic_change", args=[1]))
        return HttpResponseRedirect(reverse("admin:practice_clinic_add"))

    def has_add_permission(self, request):
        return super().has_add_permission(request) and not Clinic.objects.exists()

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(Therapist)
class TherapistAdmin(admin.ModelAdmin):
    list_display = ("name", "credentials", "user", "is_active", "position")
    list_filter = ("is_active",)
    list_select_related = ("user",)
    prepopulated_fields = {"slug": ("name",)}
    autocomplete_fields = ("user",)

    def has_delete_permission(self, request, obj=None):
        return False  # visits keep their therapist; switch is_active off


class PatientForm(forms.ModelForm):
    phone = PhoneField(required=False)
    time_zone = ZoneField(empty_label="The clinic's")

    def clean_name(self):
        return normalise_name(self.cleaned_data["name"])


@admin.register(Patient)
class PatientAdmin(RecordsAccess, PrivateSearch, admin.ModelAdmin):
    form = PatientForm
    fields = ("name", "email", "phone", "birth_on", "time_zone", "created_at")
    readonly_fields = ("created_at",)
    list_display = ("name", "email", "phone", "created_at")
    search_fields = ("name", "email", "phone")
    search_help_text = "Part of a name, an e-mail or a number"

    def patient_id_of(self, obj):
        return obj.pk

    def save_model(self, request, obj, form, change):
        if not change:
            obj.created_at = timezone.now()
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request, obj=None):
        return False  # records are kept for as long as the law says


class StaffCreationForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name")


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    add_form = StaffCreationForm
    ordering = ("name",)
    list_display = ("name", "email", "is_staff", "is_superuser", "is_active", "last_login")
    search_fields = ("name", "email")
    readonly_fields = ("last_login", "created_at")
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("May", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Since", {"fields": ("last_login", "created_at")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)

    def has_delete_permission(self, request, obj=None):
        return False  # what they read and changed stays on record; switch is_active off
