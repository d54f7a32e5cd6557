"""The list of all flags, worst first."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html

from assessments.models import Flag
from clinic.audit.admin import ReadOnly, RecordsAccess
from clinic.practice.admin.columns import moment_column
from clinic.practice.models import Patient


class HandledFilter(admin.SimpleListFilter):
    """Filter by whether staff have marked the flag as handled."""

    title, parameter_name = "handled", "handled"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("no", "No"), ("yes", "Yes")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in ("no", "yes"):
            return queryset
        return queryset.filter(staff_acknowledged_at__isnull=self.value() == "no")


@admin.register(Flag)
class FlagAdmin(RecordsAccess, ReadOnly):
    list_display = ["level", "rule", "patient", "raised", "wants_call", "handled", "intake"]
    list_display_links = None
    list_filter = ["level", HandledFilter]
    list_select_related = ["response__patient"]
    list_per_page = 50

    raised = moment_column("raised_at", "raised")
    wants_call = moment_column("callback_requested_at", "asked for a call")
    handled = moment_column("staff_acknowledged_at", "handled")

    def patient_ids_of(self, obj: Flag) -> list[UUID]:
        return [obj.response.patient_id]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Flag]:
        return Flag.objects.worst_first()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Redirect to the summary of the flag's intake. It needs its own permission and adds an audit entry."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        flag = self.get_object(request, object_id)
        if flag is None:
            return super().change_view(request, object_id, form_url, extra_context)
        return HttpResponseRedirect(reverse("admin:assessments_response_change", args=[flag.response_id]))

    @admin.display(description="rule")
    def rule(self, flag: Flag) -> str:
        return flag.rule_id

    @admin.display(ordering="response__patient__name")
    def patient(self, flag: Flag) -> Patient:
        return flag.response.patient

    def intake(self, flag: Flag) -> str:
        url = reverse("admin:assessments_response_change", args=[flag.response_id])
        return format_html('<a href="{}">Open the summary</a>', url)
