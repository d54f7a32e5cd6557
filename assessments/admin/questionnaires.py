"""What patients are asked."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.template.response import TemplateResponse

from ..models import Questionnaire
from ..reading import estimate_minutes
from .read_only import ReadOnlyAdmin


@admin.register(Questionnaire)
class QuestionnaireAdmin(ReadOnlyAdmin):
    list_display = ["title", "slug", "version", "published_at"]
    list_filter = ["slug"]

    def get_queryset(self, request):
        queryset = super().get_queryset(request)
        return queryset.defer("definition") if request.resolver_match.url_name.endswith("changelist") else queryset

    def change_view(self, request, object_id, form_url="", extra_context=None):
        if not self.has_view_permission(request):
            raise PermissionDenied
        questionnaire = self.get_object(request, object_id)
        if questionnaire is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": str(questionnaire),
            "subtitle": None,
            "opts": self.opts,
            "questionnaire": questionnaire,
            "parsed": questionnaire.parsed,
            "minutes": estimate_minutes(questionnaire.parsed),
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "assessments/admin_questionnaire.html", context)
