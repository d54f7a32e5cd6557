"""What only the code may change."""

from django.contrib import admin


class ReadOnlyAdmin(admin.ModelAdmin):
    """Patients answer, rules raise flags, files bring questionnaires: nobody types any of it in here."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
