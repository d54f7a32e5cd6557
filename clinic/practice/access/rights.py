"""Which rights a member of staff has, and may therefore pass on: never more than their own."""

from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet

from clinic.practice.models import User


def rights_of(user: User) -> QuerySet[Permission]:
    """What `user` was given, by name or by group. Ignores `is_active`: whoever is switched on again has it all back."""
    if user.is_superuser:
        return Permission.objects.all()
    held = Permission.objects.filter(Q(user=user) | Q(group__user=user))
    return Permission.objects.filter(pk__in=held.values("pk"))


def grantable_groups(by: User) -> QuerySet[Group]:
    """The groups that give nothing `by` lacks."""
    return Group.objects.exclude(permissions__in=Permission.objects.exclude(pk__in=rights_of(by).values("pk")))


def may_manage(user: User, *, by: User) -> bool:
    """Whether `by` may change `user`, password and address included: only a superuser changes whoever has more rights."""
    if by.is_superuser or user.pk == by.pk:
        return True
    return not user.is_superuser and not rights_of(user).exclude(pk__in=rights_of(by).values("pk")).exists()
