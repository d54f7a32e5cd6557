"""The list of all flags, worst first; the page that follows up a flag; how the rules did."""

import uuid
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import capfirst
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from assessments.forms.follow_up import STALE, FollowUpForm
from assessments.intake.summary import describe_flag
from assessments.models import FIRST_REVIEW_WITHIN, Finding, Flag, FlagFollowUp, Level, Outcome, Reached
from assessments.red_flag_rules.calibration import FEW, format_wait
from assessments.red_flags.definitions import read_rules
from assessments.red_flags.follow_ups import FlagChanged, NothingToReopen, record_follow_up, reopen_flag
from assessments.red_flags.rule_records import read_rule_records
from clinic.audit.admin import ReadOnly, RecordsAccess
from clinic.practice.access.staff import staff_of
from clinic.practice.admin.columns import moment_column
from clinic.practice.models import Patient
from clinic.responses.redirects import see_other

MINUTE = timedelta(minutes=1)
CHANGED = "The flag has changed since you opened the page. Read what is new, then try again."


class HandledFilter(admin.SimpleListFilter):
    """Filter by whether staff have handled the flag."""

    title, parameter_name = "state", "handled"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("no", "Open"), ("yes", "Handled")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in ("no", "yes"):
            return queryset
        return queryset.filter(staff_acknowledged_at__isnull=self.value() == "no")


class OutcomeFilter(admin.SimpleListFilter):
    """Filter by what was ever done about the flag, or what a doctor found."""

    title, parameter_name = "what was done", "outcome"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        tried = (str(Reached.NOT_REACHED), str(Reached.NOT_REACHED.label))
        found = ((code, f"doctor: {label}") for code, label in Finding.choices)
        return [(code, capfirst(str(label))) for code, label in [tried, *Outcome.choices, *found]]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        value, entries = self.value(), FlagFollowUp.objects.filter(flag=OuterRef("pk"))
        for column, codes in (
            ("reached", [Reached.NOT_REACHED]),
            ("outcome", Outcome.values),
            ("finding", Finding.values),
        ):
            if value in codes:
                return queryset.filter(Exists(entries.filter(**{column: value})))
        return queryset


@admin.register(Flag)
class FlagAdmin(RecordsAccess, ReadOnly):
    list_display = [
        "level",
        "rule",
        "patient",
        "raised",
        "seen_after",
        "wants_call",
        "handled",
        "followed_up",
        "intake",
    ]
    list_display_links = None
    list_filter = [HandledFilter, "level", OutcomeFilter]
    list_select_related = ["response__patient"]
    list_per_page = 50
    change_list_template = "assessments/admin_flags.html"

    raised = moment_column("raised_at", "raised")
    wants_call = moment_column("callback_requested_at", "asked for a call")
    handled = moment_column("staff_acknowledged_at", "handled")

    def patient_ids_of(self, obj: Flag) -> list[uuid.UUID]:
        return [obj.response.patient_id]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Flag]:
        return Flag.objects.with_first_seen().prefetch_related("follow_ups").worst_first()

    def get_urls(self) -> list[URLPattern]:
        def page(view: Any) -> Any:
            return self.admin_site.admin_view(view)

        follow_up = require_http_methods(["GET", "HEAD", "POST"])(self.follow_up_view)
        return [
            path("rules/", page(require_safe(self.rules_view)), name="assessments_flag_rules"),
            path("<uuid:pk>/follow-up/", page(follow_up), name="assessments_flag_follow_up"),
            path("<uuid:pk>/reopen/", page(require_POST(self.reopen_view)), name="assessments_flag_reopen"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Redirect to the summary of the flag's intake. It needs its own permission and adds an audit entry."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        flag = self.get_object(request, object_id)
        if flag is None:
            return super().change_view(request, object_id, form_url, extra_context)
        return HttpResponseRedirect(reverse("admin:assessments_response_change", args=[flag.response_id]))

    def follow_up_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Show what was done about a flag. POST records more, with the permission to change flags."""
        flag = self._find(request, pk)
        if flag is None:
            return self._to_list(request, pk)
        others = [
            (other, describe_flag(other, flag.response.questionnaire.parsed).title)
            for other in Flag.objects.open().filter(response=flag.response_id).exclude(pk=flag.pk)
        ]
        sent = request.POST if request.method == "POST" else None
        form = FollowUpForm(sent, flag=flag, others=others)
        if sent is None:
            return self._show(request, flag, form)
        if not self.has_follow_up_permission(request):
            raise PermissionDenied
        if not form.is_valid():
            return self._show(request, flag, form)
        try:
            record_follow_up(
                versions=form.versions,
                done=form.done,
                settles=form.cleaned_data["settles"],
                by=staff_of(request),
                now=timezone.now(),
            )
        except FlagChanged:
            flag.refresh_from_db()
            form.ask_again(CHANGED)
            return self._show(request, flag, form, status=409)
        messages.success(request, "Saved.")
        return see_other(reverse("admin:assessments_flag_follow_up", args=[pk]))

    def reopen_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        if not self.has_follow_up_permission(request):
            raise PermissionDenied
        flag = self._find(request, pk)
        if flag is None:
            return self._to_list(request, pk)
        try:
            reopen_flag(flag=flag, version=read_version(request), by=staff_of(request), now=timezone.now())
        except FlagChanged:
            messages.warning(request, CHANGED)
        except NothingToReopen:
            messages.info(request, "This flag is not closed.")
        else:
            messages.success(request, "The flag is open again, and on Today.")
        return see_other(reverse("admin:assessments_flag_follow_up", args=[pk]))

    def rules_view(self, request: HttpRequest) -> HttpResponse:
        """Show how the rules did. Names no patient."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rules, records = read_rules(), read_rule_records(now=timezone.now())
        raised = {record.rule_id for record in records}
        context = {
            **self.admin_site.each_context(request),
            "title": "How the rules did",
            "subtitle": None,
            "opts": self.opts,
            "rows": [(record, rules.by_id.get(record.rule_id)) for record in records],
            "silent": [rule.id for rule in rules.rules if rule.id not in raised],
            "outcomes": Outcome.choices,
            "findings": Finding.choices,
            "few": FEW,
            "limits": [(Level(level).label, limit // MINUTE) for level, limit in FIRST_REVIEW_WITHIN.items()],
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "assessments/admin_rule_records.html", context)

    def has_follow_up_permission(self, request: HttpRequest) -> bool:
        """Whether the user may follow up and reopen flags. Requires the change permission, but no row is edited."""
        return request.user.has_perm("assessments.change_flag")

    def _find(self, request: HttpRequest, pk: uuid.UUID) -> Flag | None:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self.get_object(request, str(pk))

    def _to_list(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Redirect to the list, which says that the flag does not exist."""
        return super().change_view(request, str(pk))

    def _show(self, request: HttpRequest, flag: Flag, form: FollowUpForm, *, status: int = 200) -> HttpResponse:
        line = describe_flag(flag, flag.response.questionnaire.parsed)
        context = {
            **self.admin_site.each_context(request),
            "title": "Follow up a flag",
            "subtitle": flag.response.patient.name,
            "opts": self.opts,
            "flag": flag,
            "line": line,
            "form": form,
            "waits": read_waits(flag),
            "may_follow_up": self.has_follow_up_permission(request),
            "shows_answers": request.user.has_perm("assessments.view_response"),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "assessments/admin_follow_up.html", context, status=status)

    @admin.display(description="rule")
    def rule(self, flag: Flag) -> str:
        return flag.rule_id

    @admin.display(ordering="response__patient__name")
    def patient(self, flag: Flag) -> Patient:
        return flag.response.patient

    @admin.display(description="first seen after")
    def seen_after(self, flag: Flag) -> str:
        waited = flag.minutes_to_seen
        return "not yet" if waited is None else format_wait(waited)

    @admin.display(description="follow-up")
    def followed_up(self, flag: Flag) -> str:
        entries = list(flag.follow_ups.all())
        url = reverse("admin:assessments_flag_follow_up", args=[flag.pk])
        return format_html('<a href="{}">{}</a>', url, capfirst(entries[-1].what) if entries else "Follow up")

    def intake(self, flag: Flag) -> str:
        url = reverse("admin:assessments_response_change", args=[flag.response_id])
        return format_html('<a href="{}">Open the summary</a>', url)


def read_waits(flag: Flag) -> list[tuple[datetime, int | None, list[FlagFollowUp]]]:
    """Return the flag's waits for staff: raised, whole minutes until it was first seen (None: not yet), follow-ups."""
    entries = groupby(flag.follow_ups.select_related("by"), attrgetter("raised_at"))
    waits: list[tuple[datetime, int | None, list[FlagFollowUp]]] = []
    for raised_at, rows in entries:
        of_wait = list(rows)
        waits.append((raised_at, max(0, (of_wait[0].at - raised_at) // MINUTE), of_wait))
    if not any(raised_at == flag.waiting_since for raised_at, _, _ in waits):
        waits.append((flag.waiting_since, flag.minutes_to_seen, []))
    return waits


def read_version(request: HttpRequest) -> int:
    """Return the version of the flag that the sent page showed. A missing or malformed one is treated as stale."""
    sent = request.POST.get("version", "")
    return int(sent) if sent.isascii() and sent.isdecimal() and len(sent) < 10 else STALE
