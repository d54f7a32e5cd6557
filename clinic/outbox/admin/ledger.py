"""Messages in the admin: waiting, sent, skipped and failed, each with the reason."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from clinic.audit.admin import PrivateSearch, ReadOnly, RecordsAccess
from clinic.audit.models import Action
from clinic.outbox.messages.kinds import kind_title
from clinic.outbox.messages.planning import (
    MessageNotSettled,
    MessageNotWaiting,
    TooLateToSend,
    cancel_message,
    is_resendable,
    resend_message,
)
from clinic.outbox.messages.subjects import find_subjects, known_scopes
from clinic.outbox.models import Message, State
from clinic.outbox.text.reason_text import explain_reason
from clinic.practice.people.search import FindsPeople
from clinic.practice.templatetags.practice_tags import page_time
from clinic.responses.redirects import see_other

CHIPS = {
    State.WAITING: "chip-quiet",
    State.SENDING: "chip-quiet",
    State.SENT: "chip-ok",
    State.SKIPPED: "chip-warn",
    State.FAILED: "chip-urgent",
}


def _find_message(object_id: str | None) -> Message | None:
    """Return the message with this ID, or None; the admin answers 404 itself."""
    try:
        return Message.objects.filter(pk=UUID(object_id or "")).first()
    except ValueError:
        return None


def _acts_on(message: Message | None, *, now: datetime) -> list[tuple[str, str]]:
    """Return the actions staff can take on a message, each with its button text."""
    if message is None:
        return []
    if message.state == State.WAITING:
        return [("cancel", "Do not send it")]
    return [("resend", "Send again")] if is_resendable(message, now=now) else []


class KindFilter(admin.SimpleListFilter):
    """Filter by message kind."""

    title, parameter_name = "message", "kind"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        names = Message.objects.order_by("kind").values_list("kind", flat=True).distinct()
        return sorted(((name, kind_title(name)) for name in names), key=lambda choice: choice[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Message)
class MessageAdmin(ReadOnly, RecordsAccess, FindsPeople, PrivateSearch):
    list_display = ("due", "state_chip", "kind_name", "channel", "all_of_patient", "why", "settled")
    list_filter = ("state", "channel", KindFilter, "due_at")
    list_select_related = ("patient",)
    search_fields = ("patient__search_text",)
    search_help_text = "Parts of a name, an email or a phone number, or a visit's reference such as RC-7K3M9Q"
    change_form_template = "outbox/admin_message.html"
    actions = ("resend", "cancel")
    fieldsets = (
        (None, {"fields": ("kind_name", "state_chip", "why", "channel", "all_of_patient")}),
        (
            "When",
            {"fields": ("due", "not_after", "next_attempt_at", "attempts", "first_tried_at", "settled", "created_at")},
        ),
        ("Details", {"fields": ("service", "time_zone"), "classes": ("collapse",)}),
    )

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """Return messages about a visit with this reference; else messages to patients who match."""
        if search_term and (subjects := find_subjects(search_term)):
            return queryset.filter(subject_id__in=subjects), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description="state", ordering="state")
    def state_chip(self, message: Message) -> SafeString:
        return format_html('<span class="chip {}">{}</span>', CHIPS[State(message.state)], message.get_state_display())

    @admin.display(description="message", ordering="kind")
    def kind_name(self, message: Message) -> str:
        return kind_title(message.kind)

    @admin.display(description="why", ordering="reason")
    def why(self, message: Message) -> str:
        return explain_reason(message.reason) or self.get_empty_value_display()

    @admin.display(description="patient", ordering="patient__name")
    def all_of_patient(self, message: Message) -> str:
        if message.patient is None:
            return "the clinic"
        url = reverse("admin:outbox_message_changelist", query={"patient__id__exact": message.patient_id})
        return format_html('<a href="{}">{}</a>', url, message.patient)

    @admin.display(description="service", ordering="scope")
    def service(self, message: Message) -> str:
        return dict(known_scopes()).get(message.scope) or self.get_empty_value_display()

    @admin.display(description="due", ordering="due_at")
    def due(self, message: Message) -> str:
        return page_time(message.due_at)

    @admin.display(description="ended", ordering="settled_at")
    def settled(self, message: Message) -> str | None:
        return page_time(message.settled_at) if message.settled_at else None

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        message = _find_message(object_id) if self.has_send_permission(request) else None
        page = {"title": "Message", "acts": _acts_on(message, now=timezone.now()), **(extra_context or {})}
        page["is_too_late"] = message is not None and message.state == State.FAILED and not page["acts"]
        return super().changeform_view(request, object_id, form_url, page)

    def get_urls(self) -> list[URLPattern]:
        act = self.admin_site.admin_view(require_POST(self.act_view))
        return [path("<uuid:pk>/act/<slug:act>/", act, name="outbox_message_act"), *super().get_urls()]

    def act_view(self, request: HttpRequest, pk: UUID, act: str) -> HttpResponse:
        """Apply `act`, an action of the list, to one message."""
        if not self.has_send_permission(request):
            raise PermissionDenied
        chosen = Message.objects.filter(pk=pk)
        if act not in self.actions or not chosen.exists():
            redirect = self._get_obj_does_not_exist_redirect  # type: ignore[attr-defined]  # not in the stubs
            return redirect(request, self.opts, str(pk))
        getattr(self, act)(request, chosen)
        return see_other(reverse("admin:outbox_message_change", args=[pk]))

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Resending and canceling need the change permission; messages are never edited."""
        return request.user.has_perm("outbox.change_message")

    @admin.action(description="Send again", permissions=["send"])
    def resend(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        refused = (MessageNotSettled, TooLateToSend)
        self._act_on_each(
            request, queryset, resend_message, refused, "on its way again", "still being sent, or too late"
        )

    @admin.action(description="Cancel", permissions=["send"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        self._act_on_each(request, queryset, cancel_message, MessageNotWaiting, "cancelled", "no longer waiting")

    def _act_on_each(
        self,
        request: HttpRequest,
        queryset: QuerySet[Message],
        act: Callable[..., object],
        refused: type[Exception] | tuple[type[Exception], ...],
        done_words: str,
        refused_words: str,
    ) -> None:
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
