"""Calendar feeds in the admin: secret URLs for therapists. They are created, shown once and revoked here."""

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from booking.calendar_feed.feeds import SILENT_AFTER, create_feed, revoke_feed
from booking.models import CalendarFeed
from clinic.practice.access.staff import staff_of
from clinic.practice.admin.columns import moment_column
from clinic.responses.redirects import see_other


def _chip(style: str, text: str) -> SafeString:
    return format_html('<span class="chip {}">{}</span>', style, text)


@admin.register(CalendarFeed)
class CalendarFeedAdmin(admin.ModelAdmin):
    """A feed cannot be edited. To change one, revoke it and create another."""

    list_display = ("therapist", "created", "created_by", "last_read", "state")
    list_select_related = ("therapist", "created_by")
    fields = ("therapist",)
    actions = ("end",)

    created = moment_column("created_at", "created")
    last_read = moment_column("last_read_at", "last read")

    def has_change_permission(self, request: HttpRequest, obj: CalendarFeed | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CalendarFeed | None = None) -> bool:
        return False

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Whether the user may revoke feeds. Requires the permission to create them."""
        return request.user.has_perm("booking.add_calendarfeed")

    @admin.display(description="state")
    def state(self, feed: CalendarFeed) -> str:
        if feed.revoked_at:
            return "ended"
        if feed.failed_at:
            return _chip("chip-urgent", "could not be created")
        if feed.last_read_at is None:
            return "not read yet"
        if timezone.now() - feed.last_read_at > SILENT_AFTER:
            return _chip("chip-warn", "no longer read")
        return "in use"

    def save_model(self, request: HttpRequest, obj: CalendarFeed, form: forms.ModelForm, change: bool) -> None:
        token = create_feed(therapist=obj.therapist, by=staff_of(request), now=timezone.now())
        address = settings.SITE_URL + reverse("booking:feed", args=[token])
        text = f"Copy this address into your calendar app now. It is not shown again: {address}"
        messages.warning(request, text)

    def response_add(
        self, request: HttpRequest, obj: CalendarFeed, post_url_continue: str | None = None
    ) -> HttpResponse:
        return see_other(reverse("admin:booking_calendarfeed_changelist"))

    def log_addition(self, request: HttpRequest, obj: CalendarFeed, message: object) -> None:  # type: ignore[override]  # returns no entry
        """Skip Django's log, since the row records who created it and when."""

    @admin.action(description="End these addresses", permissions=["end"])
    def end(self, request: HttpRequest, queryset: QuerySet[CalendarFeed]) -> None:
        for feed in queryset:
            revoke_feed(feed, now=timezone.now())
        self.message_user(request, "Ended. Calendar apps can no longer read these addresses.", messages.SUCCESS)
