"""Permissions of staff. A member of staff can grant only permissions that they have."""

from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet

from clinic.practice.models import User


def rights_of(user: User) -> QuerySet[Permission]:
    """Return the permissions of `user`, direct and by group; all permissions for a superuser.

    Ignores `is_active`, since reactivation restores every permission.
    """
    if user.is_superuser:
        return Permission.objects.all()
    held = Permission.objects.filter(Q(user=user) | Q(group__user=user))
    return Permission.objects.filter(pk__in=held.values("pk"))


def grantable_groups(by: User) -> QuerySet[Group]:
    """Return the groups of which `by` has every permission."""
    return Group.objects.exclude(permissions__in=Permission.objects.exclude(pk__in=rights_of(by).values("pk")))


def may_manage(user: User, *, by: User) -> bool:
    """Whether `by` may change `user`, including the password and the email address.

    A superuser may change everyone. Any other user may change their own account, and the account of a user who is not a
    superuser and all of whose permissions they have too.
    """
    if by.is_superuser or user.pk == by.pk:
        return True
    return not user.is_superuser and not rights_of(user).exclude(pk__in=rights_of(by).values("pk")).exists()
