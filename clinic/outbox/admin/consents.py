"""Who agreed to texts, in which words and when; to be read, where there are texts."""

from django.contrib import admin
from django.db.models import Value

from clinic.audit.admin import PrivateSearch, RecordsAccess
from clinic.outbox.models import TextConsent
from clinic.outbox.texts.providers import has_texts
from clinic.practice.models import Clinic
from clinic.practice.people.search import FindsPeople
from clinic.practice.templatetags.practice_tags import phone_link


@admin.register(TextConsent)
class TextConsentAdmin(RecordsAccess, FindsPeople, PrivateSearch, admin.ModelAdmin):
    list_display = ("patient", "number", "given_at", "withdrawn_at", "instead_of_email")
    list_select_related = ("patient",)
    exclude = ("phone",)
    readonly_fields = ("number",)
    phones = ("phone",)
    search_fields = ("patient__search_text", "phone")

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(country=Value(Clinic.objects.current().country))

    @admin.display(description="phone", ordering="phone")
    def number(self, consent):
        return phone_link(consent.phone, consent)

    def has_module_permission(self, request):
        return has_texts() and super().has_module_permission(request)

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
