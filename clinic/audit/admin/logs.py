"""The audit log and the log of sign-ins in the admin."""

from contextlib import suppress
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from clinic.audit.admin.bases import PrivateSearch, ReadOnly
from clinic.audit.models import AccessEvent, SignInEvent, describe_type

MOST_NAMED = 3  # links to patients in a row of the list; the page of a row has all of them


def _link(model: str, pk: object, text: str) -> str:
    """Return a link to a row's page in the admin, or `text` if the model has no page."""
    try:
        return format_html('<a href="{}">{}</a>', reverse(f"admin:{model}_change", args=[pk]), text)
    except NoReverseMatch:
        return text


class RecordFilter(admin.SimpleListFilter):
    """Filter by kind of record."""

    title, parameter_name = "record", "object_type"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        types = AccessEvent.objects.order_by("object_type").values_list("object_type", flat=True).distinct()
        return sorted(((one, describe_type(one)) for one in types if one), key=lambda choice: choice[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(object_type=self.value()) if self.value() else queryset


@admin.register(AccessEvent)
class AccessEventAdmin(ReadOnly, PrivateSearch):
    list_display = ("at", "person", "action", "record", "patients", "network")
    fields = ("at", "person", "roles", "action", "record", "page", "all_patients", "network")
    list_filter = ("action", "who", RecordFilter, "actor")
    list_select_related = ("actor",)
    search_fields = ("=object_id",)
    search_help_text = "The ID of a patient or a record, from the address of its page"
    show_full_result_count = False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AccessEvent], search_term: str
    ) -> tuple[QuerySet[AccessEvent], bool]:
        """Return the events of the patient or the record with this ID. The first is found by the index of the array."""
        if not search_term:
            return queryset, False
        found = Q(object_id=search_term)
        with suppress(ValueError):  # not a UUID
            found |= Q(patient_ids__contains=[UUID(search_term)])
        return queryset.filter(found), False

    @admin.display(description="by", ordering="actor")
    def person(self, event: AccessEvent) -> str:
        return str(event.actor or event.get_who_display() or "a patient, or the site itself")

    @admin.display(description="record", ordering="object_type")
    def record(self, event: AccessEvent) -> str:
        if not event.object_type:
            return self.get_empty_value_display()
        name = describe_type(event.object_type)
        if not event.object_id:
            return f"{name}: several"
        return _link(event.object_type.replace(".", "_", 1), event.object_id, name)

    @admin.display(description="patients")
    def patients(self, event: AccessEvent) -> str:
        return self._links(event, event.patient_ids[:MOST_NAMED])

    @admin.display(description="patients")
    def all_patients(self, event: AccessEvent) -> str:
        return self._links(event, event.patient_ids)

    def _links(self, event: AccessEvent, shown: list[UUID]) -> str:
        if not shown:
            return self.get_empty_value_display()
        links = [(_link("practice_patient", one, "open"),) for one in shown]
        more = len(event.patient_ids) - len(shown)
        return format_html_join(mark_safe(", "), "{}", links) + (f" and {more} more" if more else "")


@admin.register(SignInEvent)
class SignInEventAdmin(ReadOnly, PrivateSearch):
    fields = list_display = ("at", "account", "kind", "by", "network", "browser")
    list_filter = ("kind", "user")
    list_select_related = ("user", "by")
    search_fields = ("user__name", "user__email")
    search_help_text = "The name or email address of a member of staff"
    show_full_result_count = False

    @admin.display(description="account", ordering="user")
    def account(self, event: SignInEvent) -> str:
        return str(event.user or "an unknown account")
