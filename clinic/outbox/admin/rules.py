"""Message templates in the admin: text and timing, with a live preview."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Case, CharField, F, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.csp import CSP
from django.utils.decorators import method_decorator
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_POST, require_safe

from clinic.outbox.forms import MessageRuleForm
from clinic.outbox.messages.kinds import KindUnknown, MessageKind, Timing, changeable_kinds, find_kind, kind_title
from clinic.outbox.messages.message_rules import default_rule
from clinic.outbox.messages.subjects import known_scopes
from clinic.outbox.models import MessageRule
from clinic.outbox.text.spans import format_span
from clinic.practice.saving.stale_saving import RefusesStaleSaves
from clinic.responses.htmx import is_htmx

# CSP of a previewed email: inline styles only, and only our own pages may frame it.
MAIL_POLICY = {"default-src": [CSP.NONE], "style-src": [CSP.UNSAFE_INLINE], "frame-ancestors": [CSP.SELF]}
MAY_FRAME = {**settings.SECURE_CSP, "frame-src": [CSP.SELF]}
PREVIEW = "outbox_messagerule_preview"


def _find_changeable(name: str) -> MessageKind | None:
    try:
        kind = find_kind(name)
    except KindUnknown:
        return None
    return kind if kind.template else None


@admin.register(MessageRule)
class MessageRuleAdmin(RefusesStaleSaves, admin.ModelAdmin):
    form = MessageRuleForm
    fields = ("kind", "service_slug", "channel", "minutes", "is_active", "subject", "text")
    list_display = ("kind_name", "for_service", "when", "subject", "is_active")
    list_filter = ("is_active", "channel")
    change_list_template = "outbox/admin_rules.html"
    change_form_template = "outbox/admin_rule.html"

    def get_list_filter(self, request: HttpRequest) -> tuple[str, ...]:
        """Hide the filters while the clinic has no templates of its own."""
        return self.list_filter if MessageRule.objects.exists() else ()

    @admin.display(description="message", ordering="kind")
    def kind_name(self, rule: MessageRule) -> str:
        return kind_title(rule.kind)

    @admin.display(description="service", ordering="service_slug")
    def for_service(self, rule: Any) -> str:
        return rule.service_name

    @admin.display(description="when", ordering="minutes")
    def when(self, rule: MessageRule) -> str:
        kind = _find_changeable(rule.kind)
        timing = kind.timing if kind else ""
        return timing if timing == Timing.AT_ONCE else f"{format_span(rule.minutes)} {timing}"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        names = [When(service_slug=slug, then=Value(name)) for slug, name in known_scopes()]
        every = When(service_slug="", then=Value("every service"))
        service_name = Case(every, *names, default=F("service_slug"), output_field=CharField())
        return super().get_queryset(request).annotate(service_name=service_name)

    def get_urls(self) -> list[URLPattern]:
        may = self.admin_site.admin_view
        return [
            path("preview/", may(csp_override(MAY_FRAME)(require_POST(self.preview_view))), name=PREVIEW),
            path("preview/<int:place>/", may(require_safe(self.html_view)), name="outbox_messagerule_html"),
            *super().get_urls(),
        ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial = super().get_changeform_initial_data(request)
        kind = _find_changeable(str(initial.get("kind", "")))
        if kind is None:
            return initial
        rule = default_rule(kind)
        return {"minutes": rule.minutes, "subject": rule.subject, "text": rule.text, **initial}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        own = set(MessageRule.objects.filter(service_slug="").values_list("kind", flat=True))
        defaults = [kind for kind in changeable_kinds() if kind.name not in own]
        rows = [(kind, default_rule(kind), self.when(default_rule(kind))) for kind in defaults]
        return super().changelist_view(
            request, {"defaults": rows, "title": "Message templates", **(extra_context or {})}
        )

    @method_decorator(csp_override(MAY_FRAME))
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        placeholders = {name: meaning for kind in changeable_kinds() for name, meaning in kind.placeholders.items()}
        context = {"placeholders": placeholders, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """Preview the typed email or text message, for an everyday and a worst-case reader. Saves nothing.

        Raises PermissionDenied without the add or change permission.
        """
        form = self._read(request, request.POST)
        if is_htmx(request):
            return TemplateResponse(request, "outbox/_rule_preview.html", {"form": form})
        context = {**self.admin_site.each_context(request), "title": "Preview", "opts": self.opts, "form": form}
        return TemplateResponse(request, "outbox/admin_rule_preview.html", context)

    @method_decorator([xframe_options_sameorigin, csp_override(MAIL_POLICY)])
    def html_view(self, request: HttpRequest, place: int) -> HttpResponse:
        """Return the HTML of the preview at index `place`, for its frame; 422 if there is none.

        The typed text is in the query string. Raises PermissionDenied without the add or change permission.
        """
        previews = self._read(request, request.GET).previews
        if place >= len(previews):
            return HttpResponse("This text cannot be sent.", content_type="text/plain", status=422)
        return HttpResponse(previews[place][1].html)

    def _read(self, request: HttpRequest, typed: QueryDict) -> MessageRuleForm:
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        form = MessageRuleForm(typed, instance=MessageRule())
        form.is_valid()
        form.errors.pop("__all__", None)  # a duplicate is refused on save
        return form
