"""Patients in the admin: contact details, the panels that rooms registered, and the timeline."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminDateWidget
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, models
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST

from clinic.audit.access import record_access
from clinic.audit.admin import PrivateSearch, RecordsAccess
from clinic.audit.models import Action
from clinic.practice.access.links import revoke_all_links
from clinic.practice.access.staff import staff_of
from clinic.practice.admin.columns import moment_column
from clinic.practice.admin.contact import ReadableContact
from clinic.practice.admin.patient_records import erase_page, export_page, merge_page
from clinic.practice.fields.form_fields import AddressField, NameField, PhoneField, ZoneField
from clinic.practice.fields.typed_times import BirthDayField
from clinic.practice.models import Clinic, Patient
from clinic.practice.panels import links_to
from clinic.practice.people.duplicates import find_namesake, likely_duplicates
from clinic.practice.people.patients import change_address
from clinic.practice.people.records import read_timeline
from clinic.practice.people.search import FindsPeople
from clinic.practice.registry.panels import Page, panel_fields
from clinic.practice.saving.stale_saving import RefusesStaleSaves
from clinic.responses.redirects import see_other


class PatientForm(forms.ModelForm):
    name = NameField()
    email = AddressField(required=False, help_text="Without one we can only call them, or text them if they agreed.")
    phone = PhoneField(required=False)
    time_zone = ZoneField(empty_label="The clinic's", required=False)
    is_another_person = forms.BooleanField(
        label="This is another person: add a new patient",
        required=False,
        widget=forms.HiddenInput,  # shown only if there may be a duplicate
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(phone := self.fields.get("phone"), PhoneField):  # absent for staff who may only view
            phone.region = Clinic.objects.current().country

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if {"name", "email", "phone"} <= cleaned.keys():
            self._refuse_another_patients_identity(cleaned)
            if self.instance._state.adding and not cleaned.get("is_another_person"):
                self._ask_who_it_is(cleaned)
        return cleaned

    def _ask_who_it_is(self, cleaned: dict[str, Any]) -> None:
        likely = likely_duplicates(name=cleaned["name"], email=cleaned["email"], phone=cleaned["phone"])
        if likely:
            self.fields["is_another_person"].widget = forms.CheckboxInput()
            question = format_html("We may know this patient already:<br>{}", links_to(likely))
            self.add_error("is_another_person", question)

    def _refuse_another_patients_identity(self, cleaned: dict[str, Any]) -> None:
        """Report a conflict with the constraints on a patient's identity as a form error, or raise ValidationError."""
        is_provisional, name, email, phone = (
            self.instance.is_provisional,
            cleaned["name"],
            cleaned["email"],
            cleaned["phone"],
        )
        if is_provisional and not email:
            self.add_error("email", "Until this patient is confirmed they need an email address.")
        others = Patient.objects.current().exclude(pk=self.instance.pk).filter(is_provisional=is_provisional)
        if others.matching(name=name, email=email).first():  # loaded, so that the audit log has who was confirmed
            raise forms.ValidationError("Another patient has this name and this email address.")
        if not (email or is_provisional) and find_namesake(name=name, phone=phone, besides=self.instance):
            raise forms.ValidationError("Another patient without an email address has this name and this phone number.")


@admin.register(Patient)
class PatientAdmin(RefusesStaleSaves, ReadableContact, RecordsAccess, FindsPeople, PrivateSearch):
    people, finds_births = "", True
    form = PatientForm
    formfield_overrides = {models.DateField: {"form_class": BirthDayField, "widget": AdminDateWidget}}
    fields = ("name", "email", "phone", "birth_on", "time_zone")
    details = ("added", "identity")
    list_display = ("name", "address", "number", "identity", "added")
    list_filter = ("is_provisional",)
    search_fields = ("search_text",)
    search_help_text = "Parts of a name, an email or a phone number, or a date of birth"
    change_form_template = "practice/admin_patient.html"

    added = moment_column("created_at", "added")

    def patient_ids_of(self, obj: Patient) -> list[UUID]:
        return [obj.pk]

    def get_fields(self, request: HttpRequest, obj: Patient | None = None) -> Any:
        return (*self.fields, *(self.get_readonly_fields(request, obj) if obj else ("is_another_person",)))

    def get_readonly_fields(self, request: HttpRequest, obj: Patient | None = None) -> Any:
        """Return the details and the registered panels that the user may see."""
        return (*self.details, *panel_fields(Page.PATIENT, user=staff_of(request)))

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request) & Patient.objects.current()

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        end_links = wrap(require_POST(self.end_links_view))
        return [
            path("<uuid:pk>/links/end/", end_links, name="practice_patient_end_links"),
            path("<uuid:pk>/export/", wrap(export_page), name="practice_patient_export"),
            path("<uuid:pk>/erase/", wrap(erase_page), name="practice_patient_erase"),
            path("<uuid:pk>/merge/<uuid:other>/", wrap(merge_page), name="practice_patient_merge"),
            *super().get_urls(),
        ]

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Patient | None = None,
    ) -> HttpResponse:
        """Add the timeline: what the rooms have of the patient, and the user may see."""
        if obj is not None:
            is_whole = request.GET.get("timeline") == "all"
            context["timeline"] = read_timeline(obj, by=staff_of(request), is_whole=is_whole, now=timezone.now())
        return super().render_change_form(request, context, add, change, form_url, obj)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError:  # another request saved a patient with this identity after the check
            text = (
                "Not saved: another patient was given this name and address a moment ago. Look at both, then try again."
            )
            self.message_user(request, text, messages.ERROR)
            return see_other(reverse("admin:practice_patient_changelist"))

    def save_model(self, request: HttpRequest, obj: Patient, form: ModelForm, change: bool) -> None:
        now = timezone.now()
        if not change:
            obj.created_at = now
        if change and "email" in form.changed_data:
            email, obj.email = obj.email, form.initial["email"]
            super().save_model(request, obj, form, change)
            change_address(obj, email=email, by=staff_of(request), now=now)
            text = "Links sent to the old address have ended. Upcoming visits are confirmed to the new one."
            if not email:
                text = "Links sent to the old address have ended. We cannot email this patient now: call them."
            self.message_user(request, text, messages.SUCCESS)
        else:
            super().save_model(request, obj, form, change)

    def end_links_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Revoke the open links of a patient, for example after an email reached the wrong person (`revoke_all_links`).

        Writes to the audit log. Raises PermissionDenied if the user may not change the patient.
        """
        patient = self.get_queryset(request).filter(pk=pk).first()
        if not self.has_change_permission(request, patient):
            raise PermissionDenied
        if patient is None:
            redirect = self._get_obj_does_not_exist_redirect  # type: ignore[attr-defined]  # not in the stubs
            return redirect(request, self.opts, str(pk))
        now = timezone.now()
        ended = revoke_all_links(patient, now=now)
        record_access(actor=request.user, action=Action.EXECUTE, subject=patient, patient_id=patient.pk, now=now)
        self.message_user(
            request,
            f"{ended} {'link has' if ended == 1 else 'links have'} ended. New messages bring new links.",
            messages.SUCCESS,
        )
        return see_other(reverse("admin:practice_patient_change", args=[pk]))

    @admin.display(ordering="is_provisional")
    def identity(self, patient: Patient) -> str:
        """Return "known", or "not confirmed" with a link to the known patient that it may be."""
        if not patient.is_provisional:
            return "known"
        same = Patient.objects.matching(name=patient.name, email=patient.email).known().first()
        chip = mark_safe('<span class="chip chip-warn">not confirmed</span>')
        if same is None:
            return chip
        url = reverse("admin:practice_patient_change", args=[same.pk])
        return format_html('{} perhaps <a href="{}">{}</a>', chip, url, same.name)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # the law sets how long records are kept
