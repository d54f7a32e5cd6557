"""Inbound text messages in the admin. Staff read them here or on Today, and mark them as read."""

from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from clinic.audit.admin import ReadOnly, RecordsAccess
from clinic.outbox.models import InboundText
from clinic.outbox.texts.inbound import CHANGE, mark_text_read, patients_with
from clinic.outbox.texts.providers import has_texts
from clinic.practice.access.staff import staff_of
from clinic.practice.models import Clinic
from clinic.practice.templatetags.practice_tags import page_time
from clinic.practice.values.phone import format_phone
from clinic.responses.htmx import is_htmx
from clinic.responses.redirects import see_other


class UnreadFilter(admin.SimpleListFilter):
    """Filter by read or unread."""

    title, parameter_name = "state", "unread"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("1", "to be read"), ("0", "read")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(read_at__isnull=self.value() == "1") if self.value() in ("0", "1") else queryset


@admin.register(InboundText)
class InboundTextAdmin(ReadOnly, RecordsAccess):
    list_display = ("received", "from_number", "state")
    list_filter = (UnreadFilter, "received_at")
    list_select_related = ("patient", "read_by")
    fields = ("received", "from_number", "patients", "content", "answered", "state")
    actions = ("mark_as_read",)

    @admin.display(description="received", ordering="received_at")
    def received(self, text: InboundText) -> str:
        return page_time(text.received_at)

    @admin.display(description="from", ordering="phone")
    def from_number(self, text: InboundText) -> str:
        return format_phone(text.phone, Clinic.objects.current().country)

    @admin.display(description="patient with this number")
    def patients(self, text: InboundText) -> str:
        """Return links to all patients with this number, or "unknown number". A number does not prove who wrote."""
        lines = (
            (reverse("admin:practice_patient_change", args=[patient.pk]), patient.name)
            for patient in patients_with([text.phone])[text.phone]
        )
        return format_html_join(" or ", '<a href="{}">{}</a>', lines) or "unknown number"

    @admin.display(description="text")
    def content(self, text: InboundText) -> str:
        return text.words

    @admin.display(description="answered automatically")
    def answered(self, text: InboundText) -> str:
        return page_time(text.answered_at) if text.answered_at else "no"

    @admin.display(description="state", ordering="read_at")
    def state(self, text: InboundText) -> SafeString:
        if text.read_at is None:
            return format_html('<span class="chip chip-warn">{}</span>', "to be read")
        read_at = page_time(text.read_at)
        return format_html('<span class="chip chip-ok">read</span> by {}, {}', text.read_by, read_at)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return super().has_module_permission(request) and (has_texts() or InboundText.objects.exists())

    def has_mark_permission(self, request: HttpRequest) -> bool:
        """Whether the user has the change permission. Marking as read requires it; texts are never edited."""
        return request.user.has_perm(CHANGE)

    def get_urls(self) -> list[URLPattern]:
        read = self.admin_site.admin_view(require_POST(self.read_view))
        return [path("<uuid:pk>/read/", read, name="outbox_inboundtext_read"), *super().get_urls()]

    def read_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Mark one text as read, and redirect to Today. htmx gets the row instead. An unknown ID redirects with a warning.

        Raises PermissionDenied without the change permission.
        """
        if not self.has_mark_permission(request):
            raise PermissionDenied
        text = InboundText.objects.filter(pk=pk).first()
        if text is None:
            redirect = self._get_obj_does_not_exist_redirect  # type: ignore[attr-defined]  # not in the stubs
            return redirect(request, self.opts, str(pk))
        mark_text_read(text=text, by=staff_of(request), now=timezone.now())
        if is_htmx(request):
            return render(request, "admin/_today_text_read.html")
        return see_other(f"{reverse('admin:index')}#texts")

    @admin.action(description="Mark as read", permissions=["mark"])
    def mark_as_read(self, request: HttpRequest, queryset: QuerySet[InboundText]) -> None:
        done = sum(mark_text_read(text=text, by=staff_of(request), now=timezone.now()) for text in queryset)
        self.message_user(request, f"{done} marked as read.", messages.SUCCESS)
