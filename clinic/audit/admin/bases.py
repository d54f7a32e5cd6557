"""Base classes of admin pages about patients: their lines in the audit log, and searches that leave no name."""

import secrets
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR, ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.audit.reading import note_shown
from clinic.audit.searching import SEARCHED_VAR, SteadyChangeList, clean_search
from clinic.responses.redirects import see_other


class KeepsNoLog(admin.ModelAdmin):
    """Base of admins whose rows are not edited in the admin. Hides "History", since Django's log of edits is empty."""

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        return super().render_change_form(request, {**context, "has_no_log": True}, *args, **kwargs)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().history_view(request, object_id, {"has_no_log": True, **(extra_context or {})})


class ReadOnly(KeepsNoLog):
    """Base of admins whose rows are read-only."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class LogsNoName(admin.ModelAdmin):
    """Base of admins whose rows are named after people. Keeps names out of Django's log, which outlives the rows."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return self._without_name(super().log_addition(request, obj, message))

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return self._without_name(super().log_change(request, obj, message))

    def log_deletions(self, request: HttpRequest, queryset: QuerySet) -> list[LogEntry]:
        return [self._without_name(entry) for entry in super().log_deletions(request, queryset)]

    def _without_name(self, entry: LogEntry) -> LogEntry:
        entry.object_repr = f"{self.opts.verbose_name} {entry.object_id}"
        entry.save(update_fields=["object_repr"])
        return entry


class RecordsAccess(LogsNoName):
    """Base of admins about patients.

    Listing, opening, adding, changing and deleting rows is recorded in the audit log.
    """

    def patient_ids_of(self, obj: Any) -> list[UUID]:
        """Return the ids of the patients `obj` is about."""
        return [obj.patient_id] if obj.patient_id is not None else []

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        obj = super().get_object(request, object_id, from_field)
        if obj is not None and self.has_view_or_change_permission(request, obj):
            note_shown(self.patient_ids_of(obj), subject=(self.opts.label_lower, str(obj.pk)))
        return obj

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list, and note the patients of the rows on this page of it."""
        response = super().changelist_view(request, extra_context)
        changes = (getattr(response, "context_data", None) or {}).get("cl")
        if changes is not None and changes.result_list:
            shown = [patient_id for row in changes.result_list for patient_id in self.patient_ids_of(row)]
            note_shown(shown, subject=(self.opts.label_lower, ""))
        return response

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        self._record(request, Action.CREATE, obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        self._record(request, Action.UPDATE, obj)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet) -> list[LogEntry]:
        for obj in queryset:
            self._record(request, Action.DELETE, obj)
        return super().log_deletions(request, queryset)

    def _record(self, request: HttpRequest, action: Action, obj: Model) -> None:
        patient_id = next(iter(self.patient_ids_of(obj)), None)
        record_access(actor=request.user, action=action, subject=obj, patient_id=patient_id, now=timezone.now())


SEARCHES_KEPT = 10


class PrivateChangeList(SteadyChangeList):
    """A change list whose search text is in the session. The list's URL has only the key of that search."""

    is_private_search = True

    def get_queryset(self, request: HttpRequest, exclude_parameters: list[str | None] | None = None) -> QuerySet:
        self.query = clean_search(request.session.get("searches", {}).get(request.GET.get(SEARCHED_VAR), ""))
        return super().get_queryset(request, exclude_parameters)

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        return {name: value for name, value in super().get_filters_params(params).items() if name != SEARCHED_VAR}


class PrivateSearch(admin.ModelAdmin):
    """Base of admins that are searched by people's names.

    The search text is posted and kept in the session, to keep names out of URLs, browser history and proxy logs.
    """

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PrivateChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method != "POST" or SEARCH_VAR not in request.POST:
            return super().changelist_view(request, extra_context)
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        text, address = clean_search(request.POST[SEARCH_VAR]), request.GET.copy()
        for name in (PAGE_VAR, SEARCHED_VAR):
            address.pop(name, None)
        if text:
            address[SEARCHED_VAR] = token = secrets.token_hex(4)
            earlier = list(request.session.get("searches", {}).items())[1 - SEARCHES_KEPT :]
            request.session["searches"] = dict([*earlier, (token, text)])
        return see_other(f"{request.path}?{address.urlencode()}")
