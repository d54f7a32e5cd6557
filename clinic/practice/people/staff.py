"""Accounts of staff: invite, choose roles, deactivate, restore. One active owner always remains."""

import logging
from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, connection, transaction

from clinic.audit.models import SignInKind
from clinic.audit.sign_ins import record_sign_in
from clinic.practice.models import Role, User
from clinic.practice.values.mail_addresses import normalize_address

logger = logging.getLogger(__name__)


class StaffChangeError(Exception):
    """A change of a staff account was refused. The message is for staff."""


class OwnersOnly(StaffChangeError):
    def __init__(self) -> None:
        super().__init__("Only an owner can invite staff and choose their roles.")


class OwnRolesFixed(StaffChangeError):
    def __init__(self) -> None:
        super().__init__("You cannot change your own roles. Ask another owner.")


class SuperuserFixed(StaffChangeError):
    def __init__(self) -> None:
        super().__init__("This account is managed on the server.")


class LastOwner(StaffChangeError):
    def __init__(self) -> None:
        super().__init__("This is the only active owner. Make someone else an owner first.")


class AddressTaken(StaffChangeError):
    def __init__(self) -> None:
        super().__init__("There is an account with this email address.")


def may_manage_staff(by: User) -> bool:
    """Whether `by` may invite staff and choose their roles: an active owner or a superuser."""
    return by.is_active and (by.is_superuser or Role.OWNER in by.roles)


def may_manage(user: User, *, by: User) -> bool:
    """Whether `by` may change the account of `user`. Only a superuser may change a superuser."""
    return may_manage_staff(by) and (by.is_superuser or not user.is_superuser)


@transaction.atomic
def invite_staff(*, email: str, name: str, roles: Iterable[str], by: User | None, now: datetime) -> User:
    """Create an active account with these roles and no password. `by` is None on the command line.

    Raises OwnersOnly and AddressTaken.
    """
    if by is not None and not may_manage_staff(by):
        raise OwnersOnly
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, name=name, roles=_in_order(roles))
    except IntegrityError:
        raise AddressTaken from None
    _record(user, SignInKind.INVITED, by=by, now=now)
    return user


def require_change(*, user: User, roles: Iterable[str], is_active: bool, by: User | None) -> User:
    """Return the stored row of `user` if `by` may give it these roles and this state.

    Call it in a transaction. An advisory lock is held until its end, so that two owners cannot demote each other at the
    same time. `by` is None on the command line. Raises OwnersOnly, SuperuserFixed, OwnRolesFixed and LastOwner.
    """
    _lock_roles()
    stored = User.objects.get(pk=user.pk)
    is_changed = set(stored.roles) != set(roles) or stored.is_active != is_active
    if by is not None:
        by = User.objects.get(pk=by.pk)  # its role may have been taken since the request began
        if not may_manage_staff(by):
            raise OwnersOnly
        if not may_manage(stored, by=by):
            raise SuperuserFixed
        if is_changed and stored.pk == by.pk:
            raise OwnRolesFixed
    stays_owner = is_active and Role.OWNER in set(roles)
    if _is_active_owner(stored) and not stays_owner and not User.objects.active_owners().exclude(pk=user.pk).exists():
        raise LastOwner
    return stored


@transaction.atomic
def change_staff(*, user: User, roles: Iterable[str], is_active: bool, by: User | None, now: datetime) -> User:
    """Set the roles of `user`, and whether the account is active. Returns the stored row.

    Takes effect on the user's next request. Raises the errors of `require_change`.
    """
    roles = _in_order(roles)
    stored = require_change(user=user, roles=roles, is_active=is_active, by=by)
    if (stored.roles, stored.is_active) == (roles, is_active):
        return stored
    stored.roles, stored.is_active = roles, is_active
    stored.save(update_fields=["roles", "is_active"])
    _record(stored, SignInKind.ROLES_CHANGED, by=by, now=now)
    return stored


@transaction.atomic
def restore_account(*, email: str, name: str, roles: Iterable[str]) -> User:
    """Create or reactivate an account, add `roles` to it, and remove its password. Earlier roles are kept.

    For emergency access, which records it. The user's sessions end.
    """
    _lock_roles()
    email = normalize_address(email).lower()
    user = User.objects.filter(email=email).first() or User(email=email, name=name or email)
    user.roles, user.is_active = _in_order({*user.roles, *roles}), True
    user.set_unusable_password()
    user.save()
    return user


def _is_active_owner(user: User) -> bool:
    return user.is_active and Role.OWNER in user.roles


def _in_order(roles: Iterable[str]) -> list[str]:
    """Return the roles without duplicates, in the order of `Role`. Raises ValueError for an unknown role."""
    known = {Role(role) for role in roles}
    return [role.value for role in Role if role in known]


def _lock_roles() -> None:
    """Lock the roles of all staff until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('roles of staff', 0))")


def _record(user: User, kind: SignInKind, *, by: User | None, now: datetime) -> None:
    record_sign_in(user=user, kind=kind, request=None, by=by, now=now)
    whom = by.pk if by else "the command line"
    state = "active" if user.is_active else "deactivated"
    logger.info("Staff account %s is %s with roles: %s. Changed by %s.", user.pk, state, user.roles_in_words, whom)
