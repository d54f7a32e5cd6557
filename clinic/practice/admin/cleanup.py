"""The runs of the cleanup, read-only."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from clinic.audit.admin import ReadOnly
from clinic.practice.admin.columns import moment_column
from clinic.practice.models import CleanupRun


@admin.register(CleanupRun)
class CleanupRunAdmin(ReadOnly):
    """Lists when expired data was deleted, and how many rows of each kind."""

    list_display = ("ran", "rows", "state")
    list_display_links = None

    ran = moment_column("started_at", "ran")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Expired data that was deleted", **(extra_context or {})})

    @admin.display(description="deleted")
    def rows(self, run: CleanupRun) -> str:
        return ", ".join(f"{kind}: {count}" for kind, count in run.deleted.items() if count) or "nothing had expired"

    @admin.display(description="state")
    def state(self, run: CleanupRun) -> SafeString:
        if not run.unfinished:
            return format_html('<span class="chip chip-ok">{}</span>', "finished")
        state = f"not finished: {', '.join(run.unfinished)}"
        return format_html('<span class="chip chip-warn">{}</span>', state)
