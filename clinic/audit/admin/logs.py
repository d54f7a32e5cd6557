"""The audit log and the log of sign-ins in the admin."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.views.decorators.http import require_safe

from clinic.audit.admin.bases import PrivateSearch, ReadOnly
from clinic.audit.models import AccessEvent, SignInEvent, describe_type
from clinic.audit.reading import note_shown
from clinic.audit.reports.sentences import describe_event
from clinic.audit.reports.sources import ids_of_person
from clinic.audit.reports.unusual import LOOKED_BACK, MANY_OPENED, MANY_SHOWN, MOST_SHOWN, find_unusual

PER_PAGE = 50
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
    change_list_template = "audit/admin_log.html"

    def get_urls(self) -> list[URLPattern]:
        may = self.admin_site.admin_view
        return [
            path("patient/<uuid:pk>/", may(require_safe(self.patient_view)), name="audit_accessevent_patient"),
            path("unusual/", may(require_safe(self.unusual_view)), name="audit_accessevent_unusual"),
            *super().get_urls(),
        ]

    def patient_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """List who has seen or changed the data of one patient, newest first. Shows no name of the patient.

        Includes what was seen under an id that was merged into this one.

        An unknown ID has an empty list. Raises PermissionDenied.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        events = AccessEvent.objects.filter(patient_ids__overlap=ids_of_person(pk)).select_related("actor")
        page = Paginator(events, PER_PAGE).get_page(request.GET.get("page"))
        note_shown([pk], subject=(self.opts.label_lower, ""))
        lines = [(event, describe_event(event)) for event in page.object_list]
        context = {"title": "Who has seen this patient", "page": page, "lines": lines, "patient_id": pk}
        return self._report(request, "audit/admin_patient_access.html", context)

    def unusual_view(self, request: HttpRequest) -> HttpResponse:
        """List unusual reads by staff, newest first, each with the reason. Raises PermissionDenied."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = find_unusual(zone=timezone.get_current_timezone(), now=timezone.now())
        context = {
            "title": "Unusual access",
            "found": found,
            "days": LOOKED_BACK.days,
            "many": {"opened": MANY_OPENED, "shown": MANY_SHOWN},
            "most": MOST_SHOWN if len(found) == MOST_SHOWN else None,
        }
        return self._report(request, "audit/admin_unusual.html", context)

    def _report(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request, template, {**self.admin_site.each_context(request), "opts": self.opts, **context}
        )

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
        links = format_html_join(", ", "{}", [(_link("practice_patient", one, "open"),) for one in shown])
        more = len(event.patient_ids) - len(shown)
        return format_html("{} and {} more", links, more) if more else links


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
