"""Patients: who they are, whom they resemble, and the links they have."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminDateWidget
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, models
from django.db.models import Value
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST

from clinic.audit.access import record_access
from clinic.audit.admin import PrivateSearch, RecordsAccess
from clinic.audit.models import Action
from clinic.practice.access.links import revoke_all_links
from clinic.practice.fields.form_fields import AddressField, NameField, PhoneField, ZoneField
from clinic.practice.fields.typed_times import BirthDayField
from clinic.practice.models import Clinic, Patient
from clinic.practice.people.duplicates import Alike, find_alike, find_namesake, likely_twins
from clinic.practice.people.patients import change_address
from clinic.practice.people.search import FindsPeople
from clinic.practice.saving.stale_saving import RefusesStaleSaves
from clinic.practice.values.dates import format_date
from clinic.responses.redirects import see_other

from .contact import ReadableContact

MOST_LINKS = 50  # shown of one patient


class PatientForm(forms.ModelForm):
    name = NameField()
    email = AddressField(
        required=False, help_text="Without one we can only call them, or text those who have agreed to it."
    )
    phone = PhoneField(required=False)
    time_zone = ZoneField(empty_label="The clinic's", required=False)
    is_another_person = forms.BooleanField(
        label="This is another person: add a new patient",
        required=False,
        widget=forms.HiddenInput,  # asked for only once there is a patient whom it may be
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "phone" in self.fields:  # not for staff who may only look
            self.fields["phone"].region = Clinic.objects.current().country

    def clean(self):
        cleaned = super().clean()
        if {"name", "email", "phone"} <= cleaned.keys():
            self._refuse_another_patients_identity(cleaned)
            if self.instance._state.adding and not cleaned.get("is_another_person"):
                self._ask_who_it_is(*map(cleaned.get, ("name", "email", "phone")))
        return cleaned

    def _ask_who_it_is(self, name, email, phone):
        likely = likely_twins(name=name, email=email, phone=phone)
        if likely:
            self.fields["is_another_person"].widget = forms.CheckboxInput()
            words = format_html("We may know this patient already:<br>{}", links_to(likely))
            self.add_error("is_another_person", words)

    def _refuse_another_patients_identity(self, cleaned):
        """Say in words what the constraints would refuse."""
        is_provisional, name, email, phone = self.instance.is_provisional, *map(cleaned.get, ("name", "email", "phone"))
        if is_provisional and not email:
            self.add_error("email", "Until this patient is confirmed they need an email address.")
        others = Patient.objects.current().exclude(pk=self.instance.pk).filter(is_provisional=is_provisional)
        if others.matching(name=name, email=email).exists():
            raise forms.ValidationError("Another patient has this name and this email address.")
        if not (email or is_provisional) and find_namesake(name=name, phone=phone, besides=self.instance):
            raise forms.ValidationError("Another patient without an email address has this name and this phone number.")


@admin.register(Patient)
class PatientAdmin(RefusesStaleSaves, ReadableContact, RecordsAccess, FindsPeople, PrivateSearch, admin.ModelAdmin):
    people = ""
    form = PatientForm
    formfield_overrides = {models.DateField: {"form_class": BirthDayField, "widget": AdminDateWidget}}
    fields = ("name", "email", "phone", "birth_on", "time_zone")
    details = ("created_at", "standing", "alike", "open_links")
    readonly_fields = details
    list_display = ("name", "address", "number", "standing", "created_at")
    list_filter = ("is_provisional",)
    search_fields = ("search_text",)
    search_help_text = "Parts of a name, an email or a phone number"
    change_form_template = "practice/admin_patient.html"

    def patient_id_of(self, obj):
        return obj.pk

    def get_fields(self, request, obj=None):
        return self.fields + (self.details if obj else ("is_another_person",))

    def get_queryset(self, request):
        country = Value(Clinic.objects.current().country)
        return super().get_queryset(request).current().annotate(country=country)

    def get_urls(self):
        end_links = self.admin_site.admin_view(require_POST(self.end_links_view))
        return [path("<uuid:pk>/links/end/", end_links, name="practice_patient_end_links"), *super().get_urls()]

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError:  # another form took the name and address since this one was checked
            words = (
                "Not saved: another patient was given this name and address a moment ago. Look at both, then try again."
            )
            self.message_user(request, words, messages.ERROR)
            return see_other(reverse("admin:practice_patient_changelist"))

    def save_model(self, request, obj, form, change):
        now = timezone.now()
        if not change:
            obj.created_at = now
        if change and "email" in form.changed_data:
            email, obj.email = obj.email, form.initial["email"]
            super().save_model(request, obj, form, change)
            change_address(obj, email=email, by=request.user, now=now)
            words = "Links sent to the old address have ended. What lies ahead is confirmed to the new one."
            if not email:
                words = "Links sent to the old address have ended. Without an address nothing is mailed: call them."
            self.message_user(request, words, messages.SUCCESS)
        else:
            super().save_model(request, obj, form, change)

    def end_links_view(self, request, pk):
        """End every link of a patient, after a mail was passed on or went to the wrong person."""
        patient = self.get_queryset(request).filter(pk=pk).first()
        if not self.has_change_permission(request, patient):
            raise PermissionDenied
        if patient is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(pk))
        now = timezone.now()
        ended = revoke_all_links(patient, now=now)
        record_access(actor=request.user, action=Action.EXECUTE, subject=patient, patient_id=patient.pk, now=now)
        self.message_user(request, f"{ended} links have ended. New messages bring new ones.", messages.SUCCESS)
        return see_other(reverse("admin:practice_patient_change", args=[pk]))

    @admin.display(description="identity", ordering="is_provisional")
    def standing(self, patient):
        """Known, or typed by a visitor; then also who of the known patients it may be."""
        if not patient.is_provisional:
            return "known"
        same = Patient.objects.matching(name=patient.name, email=patient.email).known().first()
        words = mark_safe('<span class="chip chip-warn">not confirmed</span>')
        if same is None:
            return words
        url = reverse("admin:practice_patient_change", args=[same.pk])
        return format_html('{} perhaps <a href="{}">{}</a>', words, url, same.name)

    @admin.display(description="may be the same person")
    def alike(self, patient):
        """Other patients with this name, email or phone, and which of them it is."""
        found = find_alike(name=patient.name, email=patient.email, phone=patient.phone, besides=patient)
        return links_to(found) or "no other patient has this name, email address or phone number"

    @admin.display(description="open links")
    def open_links(self, patient):
        """What the patient's links still open, how each left the house, and until when."""
        now = timezone.now()
        links = patient.links.filter(revoked_at=None, expires_at__gt=now).order_by("-created_at")
        rows = (
            (
                link.get_purpose_display(),
                link.get_proof_display(),
                format_date(timezone.localtime(link.created_at)),
                format_date(timezone.localtime(link.expires_at)),
            )
            for link in links[:MOST_LINKS]
        )
        lines = format_html_join(mark_safe("<br>"), "{} ({} {}), until {}", rows)
        return lines or "none"

    def has_delete_permission(self, request, obj=None):
        return False  # records are kept for as long as the law says


def links_to(found: list[Alike]):
    """Links to patients who may be the one in question, each with why; empty for none."""
    rows = (
        (reverse("admin:practice_patient_change", args=[one.patient.pk]), one.patient.name, one.why) for one in found
    )
    lines = ((url, name, ", ".join(why)) for url, name, why in rows)
    return format_html_join(mark_safe("<br>"), '<a href="{}">{}</a> ({})', lines)
