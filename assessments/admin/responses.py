"""Intakes: the summary, acknowledging flags, export as FHIR."""

import uuid
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from assessments.admin.flags import CHANGED, read_version
from assessments.admin.questionnaires import QuestionnaireFilter
from assessments.fhir.exporting import export_response
from assessments.intake.summary import read_summary
from assessments.models import Flag, Response
from assessments.red_flags.flags import acknowledge_flag
from assessments.red_flags.follow_ups import FlagChanged
from clinic.audit.access import record_read
from clinic.audit.admin import PrivateSearch, ReadOnly, RecordsAccess
from clinic.practice.access.staff import staff_of
from clinic.practice.admin.columns import moment_column
from clinic.practice.people.search import FindsPeople
from clinic.responses.redirects import see_other


class ResponseQuestionnaireFilter(QuestionnaireFilter):
    path = "questionnaire__slug"


@admin.register(Response)
class ResponseAdmin(RecordsAccess, FindsPeople, PrivateSearch, ReadOnly):
    list_display = ["patient", "questionnaire", "progress", "open_flags", "saved", "completed"]
    list_filter = ["status", ResponseQuestionnaireFilter]
    search_fields = ["patient__search_text"]
    list_select_related = ["patient", "questionnaire"]
    ordering = ["-created_at"]  # Django ignores Meta.ordering in a GROUP BY query
    list_per_page = 50

    saved = moment_column("saved_at", "last saved")
    completed = moment_column("completed_at", "done")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Response]:
        waiting = Q(flags__staff_acknowledged_at__isnull=True)
        return super().get_queryset(request).annotate(waiting_flags=Count("flags", filter=waiting))

    @admin.display(description="open flags", ordering="waiting_flags")
    def open_flags(self, response: Response) -> int | str:
        return getattr(response, "waiting_flags", 0) or ("not asked" if response.progress == "none" else "none")

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "<uuid:pk>/export/",
                self.admin_site.admin_view(require_safe(self.export_view)),
                name="assessments_response_export",
            ),
            path(
                "<uuid:pk>/flags/<uuid:flag>/acknowledge/",
                self.admin_site.admin_view(require_POST(self.acknowledge_view)),
                name="assessments_flag_acknowledge",
            ),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = self._find(request, object_id)
        if response is None:
            return super().change_view(request, object_id, form_url, extra_context)
        context = {
            **self.admin_site.each_context(request),
            "title": "Intake summary",
            "subtitle": response.patient.name,
            "opts": self.opts,
            "summary": read_summary(response=response, by=staff_of(request), now=timezone.now()),
            "may_acknowledge": request.user.has_perm("assessments.change_flag"),
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "assessments/admin_response.html", context)

    def acknowledge_view(self, request: HttpRequest, pk: uuid.UUID, flag: uuid.UUID) -> HttpResponse:
        if not request.user.has_perm("assessments.change_flag"):
            raise PermissionDenied
        found = Flag.objects.select_related("response").filter(pk=flag, response=pk).first()
        if found is None:
            messages.warning(request, "This flag no longer exists.")
        elif found.is_open_emergency:
            messages.warning(request, f"{found.rule_id} is an emergency. Record how you reached the patient.")
            return see_other(reverse("admin:assessments_flag_follow_up", args=[flag]))
        else:
            self._acknowledge(request, found)
        return see_other(reverse("admin:assessments_response_change", args=[pk]))

    def _acknowledge(self, request: HttpRequest, flag: Flag) -> None:
        try:
            is_done = acknowledge_flag(
                flag=flag, by=staff_of(request), version=read_version(request), now=timezone.now()
            )
        except FlagChanged:
            messages.warning(request, f"{flag.rule_id}: {CHANGED}")
        else:
            if not is_done:
                messages.info(request, "This flag is already marked as handled.")

    def export_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        response = self._find(request, str(pk))
        if response is None:
            return see_other(reverse("admin:assessments_response_change", args=[pk]))  # it reports the missing row
        record_read(actor=request.user, subject=response, patient_ids=[response.patient_id], now=timezone.now())
        download = JsonResponse(export_response(response), content_type="application/fhir+json")
        download["Content-Disposition"] = f'attachment; filename="questionnaire-response-{pk}.json"'
        return download

    def _find(self, request: HttpRequest, object_id: str) -> Response | None:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self.get_object(request, object_id)
