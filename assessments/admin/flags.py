"""Every flag there was, worst first."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html

from ..models import Flag
from .read_only import ReadOnlyAdmin


@admin.register(Flag)
class FlagAdmin(ReadOnlyAdmin):
    list_display = [
        "level",
        "rule_id",
        "patient",
        "raised_at",
        "callback_requested_at",
        "staff_acknowledged_at",
        "intake",
    ]
    list_display_links = None
    list_filter = ["level", ("staff_acknowledged_at", admin.EmptyFieldListFilter)]
    list_select_related = ["response__patient"]
    list_per_page = 50

    def get_queryset(self, request):
        return super().get_queryset(request).worst_first()

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """A flag is read in its intake's summary, which needs that right and writes down who read it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        flag = self.get_object(request, object_id)
        if flag is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return HttpResponseRedirect(reverse("admin:assessments_response_change", args=[flag.response_id]))

    @admin.display(ordering="response__patient__name")
    def patient(self, flag):
        return flag.response.patient

    def intake(self, flag):
        url = reverse("admin:assessments_response_change", args=[flag.response_id])
        return format_html('<a href="{}">Open the summary</a>', url)
