"""Consents to texts in the admin, read-only. The menu lists them only if texts are switched on."""

from django.contrib import admin
from django.http import HttpRequest

from clinic.audit.admin import PrivateSearch, ReadOnly, RecordsAccess
from clinic.outbox.models import TextConsent
from clinic.outbox.texts.providers import has_texts
from clinic.practice.admin.columns import moment_column
from clinic.practice.models import Clinic
from clinic.practice.people.search import FindsPeople
from clinic.practice.templatetags.practice_tags import phone_link


@admin.register(TextConsent)
class TextConsentAdmin(ReadOnly, RecordsAccess, FindsPeople, PrivateSearch):
    list_display = ("patient", "number", "given", "withdrawn", "instead_of_email")
    fields = ("patient", "number", "wording", "instead_of_email", "given", "withdrawn")
    list_select_related = ("patient",)
    phones = ("phone",)
    search_fields = ("patient__search_text", "phone")

    given = moment_column("given_at", "given")
    withdrawn = moment_column("withdrawn_at", "withdrawn")

    @admin.display(description="phone", ordering="phone")
    def number(self, consent: TextConsent) -> str:
        return phone_link(consent.phone, Clinic.objects.current())

    def has_module_permission(self, request: HttpRequest) -> bool:
        return has_texts() and super().has_module_permission(request)
