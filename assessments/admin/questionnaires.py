"""Questionnaires: list, import, publish."""

import uuid
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from assessments.fhir.importing import (
    PublishRefused,
    import_questionnaire,
    missing_questions,
    publish_questionnaire,
)
from assessments.fhir.inspection import LONGEST_MINUTES, inspect, list_questions
from assessments.fhir.strict_json import MOST_BYTES
from assessments.forms.upload import UploadForm
from assessments.models import Questionnaire
from assessments.questionnaire.instruments import SCALES, SYSTEM
from assessments.questionnaire.model import InvalidQuestionnaire
from assessments.questionnaire.readable import count_without_reason, estimate_minutes
from clinic.audit.admin import ReadOnly
from clinic.practice.access.staff import staff_of
from clinic.practice.admin.columns import moment_column
from clinic.responses.redirects import see_other

CHANGE_LIST = "admin:assessments_questionnaire_changelist"


class QuestionnaireFilter(admin.SimpleListFilter):
    """Filter by questionnaire, for all versions. `path` is the lookup from the listed rows to its slug."""

    title, parameter_name, path = "questionnaire", "slug", "slug"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        titles = Questionnaire.objects.order_by("version").values_list("slug", "title")
        return sorted(dict(titles).items(), key=lambda choice: choice[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(**{self.path: self.value()}) if self.value() else queryset


@admin.register(Questionnaire)
class QuestionnaireAdmin(ReadOnly):
    change_list_template = "assessments/admin_questionnaires.html"
    list_display = ["title", "slug", "version", "published"]
    list_filter = [QuestionnaireFilter]

    published = moment_column("published_at", "published")

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("upload/", wrap(self.upload_view), name="assessments_questionnaire_upload"),
            path("<uuid:pk>/publish/", wrap(require_POST(self.publish_view)), name="assessments_questionnaire_publish"),
            *super().get_urls(),
        ]

    def has_import_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("assessments.import_questionnaire")

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("assessments.publish_questionnaire")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """The rights to import and to publish include the right to view."""
        may_act = self.has_import_permission(request) or self.has_publish_permission(request)
        return may_act or super().has_view_permission(request, obj)

    def upload_view(self, request: HttpRequest) -> HttpResponse:
        """Import a FHIR file as an unpublished version. If the file is refused, show the form again with the reason."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None, label_suffix="")
        if request.method == "POST" and form.is_valid():
            try:
                content = form.cleaned_data["file"].read(MOST_BYTES + 1)
                imported = import_questionnaire(content=content, slug=form.cleaned_data["slug"], now=timezone.now())
            except InvalidQuestionnaire as refused:
                form.add_error("file", f"This file was refused: {refused}")
            else:
                if imported.is_new:
                    messages.success(request, "Imported. Patients do not see it until you publish it.")
                    if imported.earlier:
                        note = f"It is version {imported.questionnaire.version} of “{imported.earlier.title}”."
                        messages.warning(
                            request, f"{note} Once you publish it, patients get it instead of the version before."
                        )
                else:
                    messages.info(request, "This questionnaire was imported before. Nothing has changed.")
                return see_other(reverse("admin:assessments_questionnaire_change", args=[imported.questionnaire.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": "Import a questionnaire",
            "subtitle": None,
            "opts": self.opts,
            "form": form,
            "scales": SCALES,
            "system": SYSTEM,
        }
        request.current_app = self.admin_site.name
        status = 422 if form.errors else 200
        return TemplateResponse(request, "assessments/admin_upload.html", context, status=status)

    def publish_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        if not self.has_publish_permission(request):
            raise PermissionDenied
        questionnaire = self.get_object(request, str(pk))
        if questionnaire is None:
            return see_other(reverse("admin:assessments_questionnaire_change", args=[pk]))  # it reports the missing row
        try:
            publish_questionnaire(questionnaire=questionnaire, by=staff_of(request), now=timezone.now())
        except PublishRefused as refused:
            messages.error(request, f"This version stays unpublished: {refused}.")
        else:
            messages.success(request, "Published. Patients get this version from now on.")
        return see_other(reverse("admin:assessments_questionnaire_change", args=[pk]))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Questionnaire]:
        queryset = super().get_queryset(request)
        return queryset.defer("definition") if request.path == reverse(CHANGE_LIST) else queryset

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        questionnaire = self.get_object(request, object_id)
        if questionnaire is None:
            return super().change_view(request, object_id, form_url, extra_context)
        context = {
            **self.admin_site.each_context(request),
            "title": str(questionnaire),
            "subtitle": None,
            "opts": self.opts,
            "questionnaire": questionnaire,
            "parsed": questionnaire.parsed,
            "sections": list_questions(questionnaire.parsed),
            "minutes": estimate_minutes(questionnaire.parsed),
            "longest_minutes": LONGEST_MINUTES,
            "without_reason": count_without_reason(questionnaire.parsed),
            "notices": inspect(questionnaire.definition, questionnaire.parsed),
            "missing_questions": missing_questions(questionnaire),
            "may_publish": self.has_publish_permission(request),
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "assessments/admin_questionnaire.html", context)
