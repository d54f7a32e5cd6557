"""Addresses that do not take our mail, or asked for less of it."""

from django.contrib import admin

from clinic.audit.admin import LogsNoName, PrivateSearch
from clinic.outbox.models import Suppression


@admin.register(Suppression)
class SuppressionAdmin(LogsNoName, PrivateSearch, admin.ModelAdmin):
    """Deleting a line is how staff try an address again, once it has been put right."""

    list_display = ("address", "channel", "why", "created_at")
    list_filter = ("why", "channel")
    search_fields = ("address",)

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        """Whoever deletes is shown the address: it takes the right to view it as well."""
        return super().has_delete_permission(request, obj) and self.has_view_permission(request, obj)
