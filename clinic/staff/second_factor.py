"""Who needs a second step at sign-in."""

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import QuerySet

from clinic.practice.models import Role, User
from clinic.staff.roles import PERMISSIONS

WITHOUT_PATIENTS = PERMISSIONS[Role.EDITOR]


def needs_second_factor(user: User) -> bool:
    """Whether `user` must sign in with a second step: everyone who may see patients or the audit log.

    False everywhere in a local site (SECOND_FACTOR_REQUIRED), whose demo sign-in is one step.
    """
    return settings.SECOND_FACTOR_REQUIRED and not user.get_all_permissions() <= WITHOUT_PATIENTS


def second_factors() -> QuerySet[Authenticator]:
    """Return all passkeys and authenticator apps. Recovery codes are no second step by themselves."""
    return Authenticator.objects.exclude(type=Authenticator.Type.RECOVERY_CODES)


def has_second_factor(user: User) -> bool:
    """Whether `user` has a second step. One query."""
    return second_factors().filter(user=user).exists()
