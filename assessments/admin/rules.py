"""The admin page of the rules in force, and their sign-off by a therapist."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from assessments.models import RuleSignOff
from assessments.red_flags.definitions import digest_rules, read_rules
from assessments.red_flags.sign_off import AlreadySignedOff, TherapistNeeded, find_sign_off, sign_off_rules
from clinic.audit.admin import ReadOnly
from clinic.practice.access.staff import staff_of
from clinic.practice.models import Therapist
from clinic.responses.redirects import see_other


@admin.register(RuleSignOff)
class RuleSignOffAdmin(ReadOnly):
    """The list page shows the rules in force. Sign-offs are made there and never changed."""

    def get_urls(self) -> list[URLPattern]:
        sign = self.admin_site.admin_view(require_POST(self.sign_view))
        return [path("sign/", sign, name="assessments_rules_sign"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": "Rules for flags and signals",
            "subtitle": None,
            "opts": self.opts,
            "rules": read_rules(),
            "digest": digest_rules(),
            "signed": find_sign_off(),
            "earlier": RuleSignOff.objects.exclude(digest=digest_rules()).select_related("signed_by"),
            "may_sign": self.has_sign_permission(request)
            and Therapist.objects.active().filter(user=staff_of(request)).exists(),
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "assessments/admin_rules.html", context)

    def has_sign_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("assessments.sign_off_rules")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """The right to sign includes the right to view."""
        return self.has_sign_permission(request) or super().has_view_permission(request, obj)

    def sign_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_sign_permission(request):
            raise PermissionDenied
        try:
            sign_off_rules(by=staff_of(request), digest=request.POST.get("digest", ""), now=timezone.now())
        except TherapistNeeded:
            raise PermissionDenied from None
        except AlreadySignedOff as earlier:
            messages.info(request, f"{earlier.sign_off.signed_by} has already signed these rules off.")
        except LookupError:
            messages.warning(request, "The rules have changed since you opened this page. Please read them again.")
        else:
            messages.success(request, "Signed off. Every summary says so from now on.")
        return see_other(reverse("admin:assessments_rulesignoff_changelist"))
