"""The runs of the clean-up, read-only."""

from django.contrib import admin
from django.utils.html import format_html

from clinic.practice.models import CleanupRun


@admin.register(CleanupRun)
class CleanupRunAdmin(admin.ModelAdmin):
    """When expired data was last deleted, and how much of it. To be read."""

    list_display = ("started_at", "rows", "state")
    list_display_links = None

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"title": "Clean-up of expired data", **(extra_context or {})})

    @admin.display(description="deleted")
    def rows(self, run):
        return ", ".join(f"{kind}: {count}" for kind, count in run.deleted.items() if count) or "nothing had expired"

    @admin.display(description="state")
    def state(self, run):
        if not run.unfinished:
            return format_html('<span class="chip chip-ok">{}</span>', "finished")
        words = f"not finished: {', '.join(run.unfinished)}"
        return format_html('<span class="chip chip-warn">{}</span>', words)
