"""Error pages of the admin (403, 404, 405, a stale form), which tell staff how to continue."""

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth import get_permission_codename
from django.core.exceptions import ValidationError
from django.db.models import Field, QuerySet
from django.db.models.options import Options
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from clinic.practice.access.staff import staff_of
from clinic.practice.models import User

# Last part of an admin URL's name: permissions, any one of which opens the page. Other pages need OTHER_RIGHTS.
RIGHTS: dict[str, tuple[str, ...]] = {
    "changelist": ("view", "change"),
    "change": ("view", "change"),
    "history": ("view", "change"),
}
RIGHTS |= {"add": ("add",), "find": ("add",), "delete": ("delete",)}
OTHER_RIGHTS = ("change",)


def is_for_staff(request: HttpRequest) -> bool:
    """Whether this is a page of the admin and the user is signed in as staff."""
    user = getattr(request, "user", None)
    return request.path.startswith(reverse("admin:index")) and user is not None and user.is_active and user.is_staff


def owners_besides(user: User) -> QuerySet:
    """Return the other owners, who can give `user` a role."""
    return User.objects.active_owners().exclude(pk=user.pk)


def refuse_staff(request: HttpRequest) -> HttpResponse:
    """Respond with 403. The page names the missing permission, if any, and the owners who can grant it."""
    context: dict[str, object] = {
        "title": "This cannot be done here" if staff_of(request).is_superuser else "You do not have permission",
        "missing": name_missing_right(request),
        "owners": owners_besides(staff_of(request)),
    }
    return _page(request, "admin/403.html", context, status=403)


def refuse_stale_form(request: HttpRequest) -> HttpResponse:
    """Respond with 403 to a form without a valid CSRF token, opened before the last sign-in or without cookies.

    The sign-in form can be such a form.
    """
    return _page(request, "admin/stale_form.html", {"title": "This form has expired"}, status=403)


def miss_page(request: HttpRequest) -> HttpResponse:
    """Respond with 404."""
    return _page(request, "admin/404.html", {"title": "Page not found"}, status=404)


def refuse_opening(request: HttpRequest) -> HttpResponse:
    """Respond with 405 to a GET of a URL that accepts only POST."""
    return _page(request, "admin/405.html", {"title": "This page cannot be opened by itself"}, status=405)


def name_missing_right(request: HttpRequest) -> str:
    """Return the permission that the user lacks for the requested page, like "view visits".

    Returns "" if none is missing, or if the page belongs to no model.
    """
    found = find_model(request)
    if found is None:
        return ""
    options, ending = found
    verbs: tuple[str, ...] = RIGHTS.get(ending, OTHER_RIGHTS)
    names = [f"{options.app_label}.{get_permission_codename(verb, options)}" for verb in verbs]
    has_it = any(request.user.has_perm(name) for name in names)
    if has_it and request.method == "POST" and ending == "change":
        verbs, has_it = ("change",), request.user.has_perm(names[-1])
    return "" if has_it else f"{verbs[0]} {options.verbose_name_plural}"


def find_model(request: HttpRequest) -> tuple[Options, str] | None:
    """Return (model options, last part of the URL's name) of the requested page; None if it belongs to no model."""
    match = request.resolver_match
    name = match.url_name or "" if match else ""
    for model in admin.site._registry:
        start = f"{model._meta.app_label}_{model._meta.model_name}_"
        if name.startswith(start):
            return model._meta, name.removeprefix(start)
    return None


def names_no_row(request: HttpRequest) -> bool:
    """Whether a list's action has a malformed row ID, for which Postgres would raise DataError."""
    found = find_model(request)
    chosen = request.POST.getlist(ACTION_CHECKBOX_NAME) if request.method == "POST" else []
    return bool(chosen) and found is not None and not all(_may_be_id(found[0].pk, value) for value in chosen)


def _may_be_id(key: Field, value: str) -> bool:
    try:
        key.to_python(value)
    except ValidationError:
        return False
    return "\x00" not in value


def _page(request: HttpRequest, template: str, context: dict[str, object], *, status: int) -> HttpResponse:
    request.current_app = admin.site.name
    return render(request, template, {**admin.site.each_context(request), **context}, status=status)
