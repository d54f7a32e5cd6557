"""Therapists in the admin."""

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from clinic.audit.searching import PicksRows
from clinic.practice.fields.form_fields import NameField
from clinic.practice.models import Therapist
from clinic.practice.saving.guarded_saving import GuardedSaving
from clinic.practice.saving.stale_saving import RefusesStaleSaves


class TherapistForm(forms.ModelForm):
    name = NameField()


@admin.register(Therapist)
class TherapistAdmin(RefusesStaleSaves, GuardedSaving, PicksRows, admin.ModelAdmin):
    form = TherapistForm
    list_display = ("name", "credentials", "user", "is_active", "position")
    list_filter = ("is_active",)
    list_select_related = ("user",)
    prepopulated_fields = {"slug": ("name",)}
    autocomplete_fields = ("user",)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # visits keep their therapist; clear “sees patients” instead
