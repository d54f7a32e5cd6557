"""Let other rooms check a save in the admin, since a change of the clinic or a therapist may affect their rows."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

View = Callable[[], HttpResponse]
Guard = Callable[[HttpRequest, View], HttpResponse]

_guards: dict[str, Guard] = {}


def register_guard(name: str, guard: Guard) -> None:
    """Register `guard(request, view)`, which calls `view` and may roll back what it wrote to ask for confirmation.

    Call this where the room's admin is loaded. Replaces a guard of the same name.
    """
    _guards[name] = guard


class GuardedSaving(admin.ModelAdmin):
    """Base of admins: every POST to its forms, its delete page and its list runs inside the registered guards."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return _guarded(request, partial(super().changeform_view, request, object_id, form_url, extra_context))

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return _guarded(request, partial(super().delete_view, request, object_id, extra_context))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return _guarded(request, partial(super().changelist_view, request, extra_context))


def _guarded(request: HttpRequest, view: View) -> HttpResponse:
    if request.method == "POST":
        for guard in _guards.values():
            view = partial(guard, request, view)
    return view()
