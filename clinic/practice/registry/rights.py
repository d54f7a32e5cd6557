"""Whether a member of staff may see what a room registered."""

from collections.abc import Iterable

from clinic.practice.models import User


def may_see(user: User, permissions: Iterable[str]) -> bool:
    """Whether `user` has all `permissions` ("app.view_model").

    As in Django's admin, the permission to change a model includes the permission to view it.
    """
    return all(user.has_perm(one) or user.has_perm(one.replace(".view_", ".change_")) for one in permissions)
