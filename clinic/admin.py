"""The therapist's admin: Django's own, with Today as its front page."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.contrib.contenttypes.views import shortcut
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone

from clinic.audit.searching import PostedAutocomplete
from clinic.practice.access.staff import staff_of
from clinic.practice.models import Clinic, Therapist, User
from clinic.practice.registry.panels import EMPTY_VALUE
from clinic.practice.registry.today import read_today
from clinic.staff.admin_errors import names_no_row
from clinic.staff.sign_in.confirming import ask_to_confirm, must_confirm
from clinic.staff.sign_in.views import sign_out

METHODS = ("GET", "HEAD", "POST")

# Pages for which staff confirm the sign-in again, by password or second step, unless they did within five minutes:
# records leave the clinic, end, or become visible to others. Each with the page that they come back to, if it has none
# of its own. A form is not sent again by itself.
SENSITIVE = {
    "assessments_response_export": "",
    "practice_patient_erase": "",
    "practice_patient_export": "practice_patient_change",
    "practice_patient_merge": "",
    "practice_user_act": "practice_user_change",
    "practice_user_add": "",
    "practice_user_change": "",
}


class ClinicAdminSite(admin.AdminSite):
    index_title = "Today"
    empty_value_display = EMPTY_VALUE
    enable_nav_sidebar = False  # lists need the width; everything is one click from Today

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Use the clinic's name as the header and title of every page."""
        name = Clinic.objects.current().name
        return {**super().each_context(request), "site_header": name, "site_title": name}

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Redirect to the sign-in of staff, or to Today if signed in."""
        return secure_admin_login(super().login)(request, extra_context)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        return sign_out(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        return redirect("account_change_password")

    def admin_view[View: Callable[..., HttpResponseBase]](self, view: View, cacheable: bool = False) -> View:
        """Wrap `view` in Django's sign-in check, and allow only GET, HEAD and POST (else 405).

        Django's views treat any other method as GET, which would show a record without an audit log entry. Raises
        BadRequest (400) where Postgres would raise DataError: NUL in the query string, or a malformed ID in an action.
        """
        checked = super().admin_view(view, cacheable)

        @wraps(checked)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method not in METHODS:
                return HttpResponseNotAllowed(METHODS)
            if any("\x00" in value for values in request.GET.lists() for value in (values[0], *values[1])):
                raise BadRequest("NUL in the address")
            if names_no_row(request):
                raise BadRequest("no row has such an id")
            name = request.resolver_match.url_name if request.resolver_match else ""
            if name in SENSITIVE and self.has_permission(request) and must_confirm(request):
                page = SENSITIVE[name]
                back = reverse(f"admin:{page}", args=[kwargs["pk"]]) if page else request.path
                return ask_to_confirm(request, back=back)
            return checked(request, *args, **kwargs)

        return inner  # type: ignore[return-value]  # same parameters as `view`

    def get_urls(self) -> list[URLPattern | URLResolver]:
        address, name = "r/<path:content_type_id>/<path:object_id>/", "view_on_site"
        rest = [url for url in super().get_urls() if getattr(url, "name", "") != name]
        return [path(address, self.admin_view(self.view_on_site), name=name), *rest]

    def view_on_site(self, request: HttpRequest, content_type_id: str, object_id: str) -> HttpResponse:
        """Redirect to a row's public page. Raises Http404 for a model that is not in the admin.

        Raises PermissionDenied if the user may not view the model in the admin.
        """
        types = {str(ContentType.objects.get_for_model(model).pk): model for model in self._registry}
        if content_type_id not in types:
            raise Http404
        if not self.may_view(request, types[content_type_id]):
            raise PermissionDenied
        return shortcut(request, content_type_id, object_id)

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        return PostedAutocomplete.as_view(admin_site=self)(request)  # type: ignore[return-value]  # it returns HttpResponse

    def may_view(self, request: HttpRequest, model: type[Model]) -> bool:
        """Whether this user may view rows of `model` in the admin."""
        return self.get_model_admin(model).has_view_permission(request)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show Today, with the sections that the rooms registered; everything else below.

        Sections that the user may not view are neither read nor shown. With `mine` in the query string, a therapist
        sees only their own visits and free time.
        """
        now, user, clinic = timezone.now(), staff_of(request), Clinic.objects.current()
        own = _one_of_several(user)
        is_mine = own is not None and "mine" in request.GET
        today = read_today(by=user, clinic=clinic, therapist=own if is_mine else None, now=now)
        context = {
            **self.each_context(request),
            "title": self.index_title,
            "subtitle": None,
            "app_list": self.get_app_list(request),
            "today": today,
            "own_therapist": own,
            "only_mine": is_mine,
            "clinic": clinic,
            "date": now.astimezone(clinic.zone).date(),
            **(extra_context or {}),
        }
        request.current_app = self.name
        return TemplateResponse(request, "admin/index.html", context)


def _one_of_several(user: User) -> Therapist | None:
    """Return the therapist whose account `user` is; None if they see no patients, or no one else does."""
    active = list(Therapist.objects.active().order_by("pk"))
    return next((one for one in active if one.user_id == user.pk), None) if len(active) > 1 else None
