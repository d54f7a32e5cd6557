"""The therapist's admin: Django's own, with Today as its front page."""

from django.contrib import admin
from django.template.response import TemplateResponse
from django.utils import timezone

from booking.stuck_waits import count_stuck
from booking.today import read_today
from clinic.outbox.inbound import read_unread_texts
from clinic.practice.cleanup_runs import cleanup_overdue_since
from clinic.practice.sign_in import SignInForm, finish_sign_in
from education.editing import count_waiting


class ClinicAdminSite(admin.AdminSite):
    site_header = site_title = "Runclinic"
    index_title = "Today"
    empty_value_display = "–"
    enable_nav_sidebar = False  # lists need the width; everything is one click from Today
    login_form = SignInForm

    def login(self, request, extra_context=None):
        """Django's login, rate limited."""
        return finish_sign_in(request, super().login(request, extra_context), now=timezone.now())

    def articles_waiting(self, request):
        """For who may mend them: how many articles are due for a review, or have an update to look at; None for none."""
        waiting = (
            count_waiting(on=timezone.localdate(), now=timezone.now())
            if request.user.has_perm("education.change_article")
            else {}
        )
        return waiting if any(waiting.values()) else None

    def index(self, request, extra_context=None):
        """Today: open flags, the day's visits, gaps, messages that did not go out; everything else below."""
        now = timezone.now()
        context = {
            **self.each_context(request),
            "title": self.index_title,
            "subtitle": None,
            "app_list": self.get_app_list(request),
            "today": read_today(now=now),
            "no_cleanup_since": cleanup_overdue_since(now=now),
            "articles_waiting": self.articles_waiting(request),
            "stuck_waits": count_stuck(user=request.user, now=now),
            "received_texts": read_unread_texts(user=request.user, now=now),
            **(extra_context or {}),
        }
        request.current_app = self.name
        return TemplateResponse(request, "admin/index.html", context)
