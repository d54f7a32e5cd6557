"""Messages in the admin: their state, and why one was postponed, skipped or failed. Staff can resend or cancel them."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_POST

from clinic.audit.admin import PrivateSearch, ReadOnly, RecordsAccess
from clinic.audit.models import Action
from clinic.outbox.messages.kinds import kind_title, kinds_hidden_from
from clinic.outbox.messages.planning import (
    MessageNotSettled,
    MessageNotWaiting,
    SentAgainAlready,
    TooLateToSend,
    cancel_message,
    is_resendable,
    resend_message,
)
from clinic.outbox.messages.subjects import find_subjects, known_scopes
from clinic.outbox.models import Message, MessageQuerySet, State, later_copies
from clinic.outbox.sending.refusals import why_not_again
from clinic.outbox.text.reason_text import explain_reason
from clinic.practice.admin.columns import moment_column
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


# What staff read when `resend_message` or `cancel_message` raises an error.
REFUSALS: dict[type[Exception], str] = {
    MessageNotSettled: "It is waiting or being sent right now.",
    MessageNotWaiting: "It is no longer waiting.",
    SentAgainAlready: "It was sent again already. See the copy.",
    TooLateToSend: "It is too late to send this.",
}


class NotWanted(Exception):
    """A copy would not be sent. The exception's message is the reason, as a sentence for staff."""


def _send_again(message: Message, *, now: datetime) -> None:
    """Plan a copy of `message`. Raises NotWanted if the copy would not be sent, and the errors of `resend_message`."""
    if is_resendable(message, now=now) and (reason := why_not_again(message, now=now)):
        raise NotWanted(explain_reason(reason))
    resend_message(message, now=now)


def _find_message(object_id: str | None) -> Message | None:
    """Return the message with this ID. None for an unknown or malformed ID: the admin redirects with a warning."""
    try:
        return Message.objects.filter(pk=UUID(object_id or "")).first()
    except ValueError:
        return None


def _acts_on(message: Message | None, *, now: datetime) -> list[tuple[str, str]]:
    """Return the actions that staff can take on a message, as (name, button text)."""
    if message is None:
        return []
    if message.state == State.WAITING:
        return [("cancel", "Do not send it")]
    return [("resend", "Send again")] if is_resendable(message, now=now) else []


def _is_lost(message: Message | None, *, now: datetime) -> bool:
    """Whether a message failed and is past its `not_after`."""
    return message is not None and message.state == State.FAILED and now >= message.not_after


class KindFilter(admin.SimpleListFilter):
    """Filter by message kind."""

    title, parameter_name = "message", "kind"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        names = model_admin.get_queryset(request).order_by("kind").values_list("kind", flat=True).distinct()
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
        (None, {"fields": ("kind_name", "state_chip", "why", "sent_again", "channel", "all_of_patient")}),
        (
            "When",
            {"fields": ("due", "last_chance", "next_attempt", "attempts", "first_tried", "settled", "planned")},
        ),
        ("Details", {"fields": ("service", "time_zone"), "classes": ("collapse",)}),
    )

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """Return the messages about the visit with this reference, or else those to patients who match."""
        if search_term and (subjects := find_subjects(search_term)):
            return queryset.filter(subject_id__in=subjects), False
        return super().get_search_results(request, queryset, search_term)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        seen = super().get_queryset(request).exclude(kind__in=kinds_hidden_from(request.user))
        return cast(MessageQuerySet, seen).with_sent_again_at()

    @admin.display(description="state", ordering="state")
    def state_chip(self, message: Message) -> SafeString:
        chip = format_html('<span class="chip {}">{}</span>', CHIPS[State(message.state)], message.get_state_display())
        if message.sent_again_at is None:
            return chip
        return format_html("{} sent again {}", chip, page_time(message.sent_again_at))

    @admin.display(description="sent again")
    def sent_again(self, message: Message) -> str:
        copies = [
            (
                reverse("admin:outbox_message_change", args=[copy.pk]),
                page_time(copy.created_at),
                copy.get_state_display(),
            )
            for copy in later_copies(message)
        ]
        return format_html_join(mark_safe("<br>"), '<a href="{}">{}</a>: {}', copies) or "no"

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

    due = moment_column("due_at", "due")
    settled = moment_column("settled_at", "ended")
    last_chance = moment_column("not_after", "not sent after")
    next_attempt = moment_column("next_attempt_at", "next attempt")
    first_tried = moment_column("first_tried_at", "first attempt")
    planned = moment_column("created_at", "planned")

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        message = _find_message(object_id) if self.has_send_permission(request) else None
        page = {"title": "Message", "acts": _acts_on(message, now=timezone.now()), **(extra_context or {})}
        page["is_too_late"] = _is_lost(message, now=timezone.now())
        return super().changeform_view(request, object_id, form_url, page)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Message | None = None,
    ) -> HttpResponse:
        """Add a subtitle with the message's kind and recipient."""
        if obj is not None:
            context["subtitle"] = f"{kind_title(obj.kind)}, to {obj.patient or 'the clinic'}"
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_urls(self) -> list[URLPattern]:
        act = self.admin_site.admin_view(require_POST(self.act_view))
        return [path("<uuid:pk>/act/<slug:act>/", act, name="outbox_message_act"), *super().get_urls()]

    def act_view(self, request: HttpRequest, pk: UUID, act: str) -> HttpResponse:
        """Apply `act`, one of `actions`, to one message, and redirect to that message.

        An unknown act or ID redirects with a warning. Raises PermissionDenied without the change permission.
        """
        if not self.has_send_permission(request):
            raise PermissionDenied
        chosen = self.get_queryset(request).filter(pk=pk)
        if act not in self.actions or not chosen.exists():
            redirect = self._get_obj_does_not_exist_redirect  # type: ignore[attr-defined]  # not in the stubs
            return redirect(request, self.opts, str(pk))
        getattr(self, act)(request, chosen)
        return see_other(reverse("admin:outbox_message_change", args=[pk]))

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Whether the user has the change permission. Resending and canceling require it; messages are never edited."""
        return request.user.has_perm("outbox.change_message")

    @admin.action(description="Send again", permissions=["send"])
    def resend(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        self._act_on_each(request, queryset, _send_again, "on its way again", "on their way again")

    @admin.action(description="Do not send", permissions=["send"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        self._act_on_each(request, queryset, cancel_message, "will not be sent", "will not be sent")

    def _act_on_each(
        self,
        request: HttpRequest,
        queryset: QuerySet[Message],
        act: Callable[..., object],
        done_one: str,
        done_many: str,
    ) -> None:
        """Apply `act` to each message, and record each success in the audit log.

        Tell the user how many succeeded, and why the rest were refused.
        """
        done, refused = 0, Counter[str]()
        for message in queryset.select_related("patient"):
            try:
                act(message, now=timezone.now())
            except NotWanted as unwanted:
                refused[str(unwanted)] += 1
            except tuple(REFUSALS) as refusal:
                refused[REFUSALS[type(refusal)]] += 1
            else:
                self._record(request, Action.EXECUTE, message)
                done += 1
        if done:
            self.message_user(request, f"{done} {done_one if done == 1 else done_many}.", messages.SUCCESS)
        for reason, count in refused.items():
            self.message_user(request, f"{count} left as before. {reason}", messages.WARNING)
