"""Staff accounts in the admin: invite, choose roles, deactivate, send a link, end sessions, remove a second step."""

from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from clinic.audit.admin import PrivateSearch
from clinic.audit.models import SignInKind
from clinic.audit.sign_ins import record_sign_in
from clinic.practice.access.staff import staff_of
from clinic.practice.admin.columns import moment_column
from clinic.practice.fields.form_fields import AddressField, NameField
from clinic.practice.models import Role, User
from clinic.practice.people.staff import (
    StaffChangeError,
    change_staff,
    invite_staff,
    may_manage,
    may_manage_staff,
    require_change,
)
from clinic.practice.saving.stale_saving import RefusesStaleSaves
from clinic.responses.redirects import see_other
from clinic.staff.accounts import end_sessions, remove_second_steps, send_link, tell_of_roles
from clinic.staff.second_factor import second_factors

# What an owner can do to another's account: the label of the button, what to tell them before and afterwards.
ACTS = {
    "link": (
        "Send a link for a password",
        "They get an email with a link to choose a password. Their present password works until they do.",
        "The link is on its way. Links sent before no longer work.",
    ),
    "sessions": (
        "End all sessions",
        "They are signed out on every device at once, and lose what they have not saved.",
        "They are signed out everywhere.",
    ),
    "factors": (
        "Remove the second step",
        "For a lost device. They are signed out, and get an email with a link for a new password. Then they add a new "
        "second step.",
        "Second step and password are removed. A link for a new password is on its way.",
    ),
}
SHOWN_INSTEAD = {"roles": "roles_held", "is_active": "status"}  # to staff who may not choose them


def _role_field(*, required: bool) -> forms.MultipleChoiceField:
    choices = [(role.value, f"{role.label.capitalize()}. {role.purpose}") for role in Role]
    return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, required=required)


class InvitationForm(forms.ModelForm):
    email = AddressField()
    name = NameField()
    roles = _role_field(required=True)

    class Meta:
        model = User
        fields = ("email", "name", "roles")


class StaffForm(UserChangeForm):
    """The form of a user, without Django's password field.

    That field shows the algorithm, the salt and the start of the hash.
    """

    password = None  # type: ignore[assignment]  # how Django drops a declared field
    name = NameField()
    roles = _role_field(required=False)
    by: User

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if {"roles", "is_active"} <= cleaned.keys():  # absent on one's own page
            try:
                require_change(user=self.instance, roles=cleaned["roles"], is_active=cleaned["is_active"], by=self.by)
            except StaffChangeError as refusal:
                self.add_error("roles" if cleaned["is_active"] else "is_active", str(refusal))
        return cleaned


class RoleFilter(admin.SimpleListFilter):
    title, parameter_name = "role", "role"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [(role.value, role.label) for role in Role]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(roles__contains=[self.value()]) if self.value() in Role.values else queryset


@admin.register(User)
class UserAdmin(RefusesStaleSaves, PrivateSearch, DjangoUserAdmin):
    """Owners invite staff and choose their roles, but not their own roles and nothing of a superuser's account.

    Superusers, groups and single permissions are for the command line.
    """

    form = StaffForm
    add_form = InvitationForm
    add_form_template = None
    change_form_template = "staff/admin_user.html"
    ordering = ("name",)
    list_display = ("name", "email", "roles_held", "second_step", "last_sign_in", "status")
    list_filter = ("is_active", RoleFilter)
    search_fields = ("name", "email")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("email", "name", "password_state", "second_step")}),
        ("Roles", {"fields": ("roles", "is_active")}),
        ("Dates", {"fields": ("last_sign_in", "added")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "roles")}),)

    last_sign_in = moment_column("last_login", "last sign-in")
    added = moment_column("created_at", "added")

    @admin.display(description="password")
    def password_state(self, user: User) -> str:
        return "set" if user.has_usable_password() else "none: invited, and has not chosen one yet"

    @admin.display(description="second step", ordering="has_factor", boolean=True)
    def second_step(self, user: User) -> bool:
        return user.has_factor  # type: ignore[attr-defined]  # annotated by get_queryset

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        factors = second_factors().filter(user=OuterRef("pk"))
        return super().get_queryset(request).annotate(has_factor=Exists(factors))

    def get_urls(self) -> list[URLPattern]:
        """Replace Django's page that sets another user's password: they choose it by a link."""
        act = self.admin_site.admin_view(require_POST(self.act_view))
        urls = [url for url in super().get_urls() if url.name != "auth_user_password_change"]
        return [path("<uuid:pk>/act/<slug:act>/", act, name="practice_user_act"), *urls]

    def act_view(self, request: HttpRequest, pk: UUID, act: str) -> HttpResponse:
        """Do one of ACTS to another's account. Raises PermissionDenied and Http404."""
        user, now = self.get_queryset(request).filter(pk=pk).first(), timezone.now()
        if user is None or act not in ACTS:
            raise Http404
        if not self._may_act(request, user):
            raise PermissionDenied
        if act == "link":
            send_link(user, by=staff_of(request), now=now)
            record_sign_in(user=user, kind=SignInKind.RESET_ASKED, request=request, now=now)
        elif act == "sessions":
            end_sessions(user, request=request, now=now)
        else:
            remove_second_steps(user, request=request, now=now)
        self.message_user(request, ACTS[act][2], messages.SUCCESS)
        return see_other(reverse("admin:practice_user_change", args=[pk]))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        user = kwargs.get("obj")
        acts = [
            (act, label, before)
            for act, (label, before, _) in ACTS.items()
            if user and self._may_act(request, user) and (act != "factors" or self.second_step(user))
        ]
        return super().render_change_form(request, {**context, "acts": acts}, *args, **kwargs)

    def _may_act(self, request: HttpRequest, user: User) -> bool:
        """Whether the account is another's, active, and one that this member of staff may change."""
        return user.is_active and user.pk != request.user.pk and self.has_change_permission(request, user)

    @admin.display(description="roles")
    def roles_held(self, user: User) -> str:
        return user.roles_in_words or self.get_empty_value_display()

    @admin.display(description="status", ordering="is_active")
    def status(self, user: User) -> SafeString:
        text = ("managed on the server" if user.is_superuser else "active") if user.is_active else "deactivated"
        return format_html('<span class="chip {}">{}</span>', "chip-ok" if user.is_active else "chip-quiet", text)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and may_manage_staff(staff_of(request))

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        by = staff_of(request)
        return super().has_change_permission(request, obj) and (
            may_manage_staff(by) if obj is None else may_manage(obj, by=by)
        )

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # the audit log refers to users; clear “active” instead

    def _may_choose_roles(self, request: HttpRequest, user: User | None) -> bool:
        return user is None or (self.has_change_permission(request, user) and user.pk != request.user.pk)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if self._may_choose_roles(request, obj):
            return fieldsets
        return [
            (title, {**options, "fields": [SHOWN_INSTEAD.get(str(name), name) for name in options["fields"]]})
            for title, options in fieldsets
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        # A changed address would take the account over: whoever reads that mailbox gets its links. Invite anew instead.
        address = ("email",) if obj is not None else ()
        fixed = (*address, "password_state", "second_step", "last_sign_in", "added", *SHOWN_INSTEAD.values())
        return fixed if self._may_choose_roles(request, obj) else (*fixed, *SHOWN_INSTEAD)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"by": staff_of(request)})

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except StaffChangeError as refusal:  # another request changed an account after the form's check
            self.message_user(request, str(refusal), messages.ERROR)
            return see_other(reverse("admin:practice_user_changelist"))

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm, change: bool) -> None:
        by, now = staff_of(request), timezone.now()
        if not change:
            invited = invite_staff(email=obj.email, name=obj.name, roles=obj.roles, by=by, now=now)
            obj.pk = invited.pk
            obj.refresh_from_db()
            send_link(invited, by=by, now=now)
            self.message_user(request, f"An invitation is on its way to {invited.email}.", messages.SUCCESS)
            return
        earlier = User.objects.values_list("roles", flat=True).get(pk=obj.pk)
        obj.roles = change_staff(user=obj, roles=obj.roles, is_active=obj.is_active, by=by, now=now).roles
        if obj.roles != earlier:
            tell_of_roles(obj, now=now)
        obj.save(update_fields=["name"])  # a password that was changed meanwhile is kept
        if not obj.is_active:
            end_sessions(obj, request=request, now=now)


# Groups are for the command line. allauth's own pages go too: an account's owner changes it on the account's pages.
for model in (Group, EmailAddress, Authenticator, UserSession):
    admin.site.unregister(model)
