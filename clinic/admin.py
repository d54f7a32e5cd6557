"""The therapist's admin: Django's own, with Today as its front page."""

from django.contrib import admin
from django.template.response import TemplateResponse
from django.utils import timezone


class ClinicAdminSite(admin.AdminSite):
    site_header = site_title = "Runclinic"
    index_title = "Today"
    empty_value_display = "–"

    def index(self, request, extra_context=None):
        """Today: open flags, the day's visits, gaps, messages that did not go out; everything else below."""
        from booking.today import read_today  # the registry of apps must be full before models are imported

        context = {
            **self.each_context(request),
            "title": self.index_title,
            "subtitle": None,
            "app_list": self.get_app_list(request),
            "today": read_today(now=timezone.now()),
            **(extra_context or {}),
        }
        request.current_app = self.name
        return TemplateResponse(request, "admin/index.html", context)
