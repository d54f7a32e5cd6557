"""The member of staff behind a request."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from clinic.practice.models import User


def staff_of(request: HttpRequest) -> User:
    """Return the signed-in user. Raises PermissionDenied if there is none, which cannot happen in admin views."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
