"""The ledger: what is to go out, what went, what did not and why."""

from django.contrib import admin, messages
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from clinic.audit.admin import PrivateSearch, RecordsAccess
from clinic.audit.models import Action
from clinic.outbox.kinds import kind_title
from clinic.outbox.messages import (
    MessageNotSettled,
    MessageNotWaiting,
    TooLateToSend,
    cancel_message,
    resend_message,
)
from clinic.outbox.models import Message, State
from clinic.outbox.reason_words import explain_reason
from clinic.practice.instants import format_instant
from clinic.practice.people_search import FindsPeople

CHIPS = {
    State.WAITING: "chip-quiet",
    State.SENDING: "chip-quiet",
    State.SENT: "chip-ok",
    State.SKIPPED: "chip-warn",
    State.FAILED: "chip-urgent",
}


class KindFilter(admin.SimpleListFilter):
    """By kind, as staff call it."""

    title, parameter_name = "message", "kind"

    def lookups(self, request, model_admin):
        names = Message.objects.order_by("kind").values_list("kind", flat=True).distinct()
        return sorted(((name, kind_title(name)) for name in names), key=lambda choice: choice[1])

    def queryset(self, request, queryset):
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Message)
class MessageAdmin(RecordsAccess, FindsPeople, PrivateSearch, admin.ModelAdmin):
    list_display = ("due", "state_chip", "kind_words", "channel", "all_of_patient", "why", "settled")
    list_filter = ("state", "channel", KindFilter, "due_at")
    list_select_related = ("patient",)
    search_fields = ("patient__search_text",)
    search_help_text = "Parts of a name, an e-mail or a phone number"
    actions = ("resend", "cancel")
    fieldsets = (
        (None, {"fields": ("kind_words", "state_chip", "why", "channel", "all_of_patient")}),
        (
            "When",
            {"fields": ("due", "not_after", "next_attempt_at", "attempts", "first_tried_at", "settled", "created_at")},
        ),
        ("Behind it", {"fields": ("scope", "time_zone"), "classes": ("collapse",)}),
    )

    @admin.display(description="state", ordering="state")
    def state_chip(self, message):
        return format_html('<span class="chip {}">{}</span>', CHIPS[message.state], message.get_state_display())

    @admin.display(description="message", ordering="kind")
    def kind_words(self, message):
        return kind_title(message.kind)

    @admin.display(description="why", ordering="reason")
    def why(self, message):
        return explain_reason(message.reason) or self.get_empty_value_display()

    @admin.display(description="patient", ordering="patient__name")
    def all_of_patient(self, message):
        if message.patient is None:
            return "the clinic"
        url = reverse("admin:outbox_message_changelist", query={"patient__id__exact": message.patient_id})
        return format_html('<a href="{}">{}</a>', url, message.patient)

    @admin.display(description="due", ordering="due_at")
    def due(self, message):
        return format_instant(message.due_at, timezone.get_current_timezone())

    @admin.display(description="ended", ordering="settled_at")
    def settled(self, message):
        return format_instant(message.settled_at, timezone.get_current_timezone()) if message.settled_at else None

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        return super().changeform_view(request, object_id, form_url, {"title": "Message", **(extra_context or {})})

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def has_send_permission(self, request):
        """Who may resend and cancel: those with the right to change messages, though nobody edits one."""
        return request.user.has_perm("outbox.change_message")

    @admin.action(description="Send again", permissions=["send"])
    def resend(self, request, queryset):
        refused = (MessageNotSettled, TooLateToSend)
        self._act_on_each(
            request, queryset, resend_message, refused, "on its way again", "still under way, or too late"
        )

    @admin.action(description="Cancel", permissions=["send"])
    def cancel(self, request, queryset):
        self._act_on_each(request, queryset, cancel_message, MessageNotWaiting, "cancelled", "no longer waiting")

    def _act_on_each(self, request, queryset, act, refused, done_words, refused_words):
        done = 0
        for message in queryset:
            try:
                act(message, now=timezone.now())
            except refused:
                continue
            self._record(request, Action.EXECUTE, message)
            done += 1
        if done:
            self.message_user(request, f"{done} {done_words}.", messages.SUCCESS)
        if len(queryset) > done:
            self.message_user(request, f"{len(queryset) - done} left as before: {refused_words}.", messages.WARNING)
