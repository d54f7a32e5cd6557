"""Staff accounts and groups in the admin."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db.models import ManyToManyField, Model
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest

from clinic.audit.admin import PrivateSearch
from clinic.practice.access.rights import grantable_groups, may_manage, rights_of
from clinic.practice.access.staff import staff_of
from clinic.practice.admin.columns import moment_column
from clinic.practice.fields.form_fields import AddressField, NameField
from clinic.practice.models import User
from clinic.practice.saving.stale_saving import RefusesStaleSaves


class StaffCreationForm(AdminUserCreationForm):
    email = AddressField()
    name = NameField()

    class Meta:
        model = User
        fields = ("email", "name")


class StaffForm(UserChangeForm):
    """The form of a user, without Django's password field.

    That field shows the algorithm, the salt and the start of the hash.
    """

    password = None  # type: ignore[assignment]  # how Django drops a declared field
    email = AddressField()
    name = NameField()


@admin.register(User)
class UserAdmin(RefusesStaleSaves, PrivateSearch, DjangoUserAdmin):
    """Only a superuser can create superusers.

    Other staff can edit their own account and users whose permissions they all have (`may_manage`). They can grant only
    permissions that they have, and none to themselves.
    """

    form = StaffForm
    add_form = StaffCreationForm
    change_form_template = "practice/admin_user.html"
    ordering = ("name",)
    list_display = ("name", "email", "is_staff", "is_superuser", "is_active", "last_sign_in")
    search_fields = ("name", "email")
    readonly_fields = ("password_state", "last_sign_in", "added")
    fieldsets = (
        (None, {"fields": ("email", "name", "password_state")}),
        ("Permissions", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_sign_in", "added")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)

    last_sign_in = moment_column("last_login", "last sign-in")
    added = moment_column("created_at", "added")

    @admin.display(description="password")
    def password_state(self, user: User) -> str:
        return "set" if user.has_usable_password() else "none: cannot sign in with a password"

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or may_manage(obj, by=staff_of(request)))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # the audit log refers to users; clear “active” instead

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        fixed = tuple(super().get_readonly_fields(request, obj))
        if request.user.is_superuser:
            return fixed
        own = ("groups", "user_permissions") if obj is not None and obj.pk == request.user.pk else ()
        return (*fixed, "is_superuser", *own)

    def formfield_for_manytomany(
        self, db_field: ManyToManyField, request: HttpRequest, **kwargs: Any
    ) -> ModelMultipleChoiceField | None:
        if db_field.name == "groups":
            kwargs["queryset"] = grantable_groups(staff_of(request))
        if db_field.name == "user_permissions":
            kwargs["queryset"] = rights_of(staff_of(request))
        return super().formfield_for_manytomany(db_field, request, **kwargs)


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(RefusesStaleSaves, PrivateSearch, DjangoGroupAdmin):
    """Staff can edit or delete a group only if they have all of its permissions, and can give it only their own."""

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        is_covered = obj is None or grantable_groups(staff_of(request)).filter(pk=obj.pk).exists()
        return super().has_change_permission(request, obj) and is_covered

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        is_covered = obj is None or grantable_groups(staff_of(request)).filter(pk=obj.pk).exists()
        return super().has_delete_permission(request, obj) and is_covered

    def formfield_for_manytomany(
        self, db_field: ManyToManyField, request: HttpRequest | None = None, **kwargs: Any
    ) -> ModelMultipleChoiceField | None:
        if request is not None and db_field.name == "permissions":
            kwargs["queryset"] = rights_of(staff_of(request)).select_related("content_type")
        return super().formfield_for_manytomany(db_field, request, **kwargs)
