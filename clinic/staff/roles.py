"""The roles of staff, and the permissions that each one grants. Decided only here.

A member of staff has any number of roles (`User.roles`), chosen on the invitation. `RoleBackend` grants the
permissions of this table, so a change here takes effect on the next request. Permissions that were granted by hand, to
a user or by a group, still count; the admin neither shows nor changes them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.backends import BaseBackend

from clinic.practice.models import Role, User


def _view(*models: str) -> set[str]:
    return {f"{app}.view_{name}" for app, name in (model.split(".") for model in models)}


def _edit(*models: str) -> set[str]:
    """Return the permissions to view, add, change and delete."""
    pairs = [model.split(".") for model in models]
    return {f"{app}.{verb}_{name}" for app, name in pairs for verb in ("view", "add", "change", "delete")}


SCHEDULE = _edit("booking.appointment", "booking.waitlistentry", "booking.hoursoverride") | _view(
    "booking.openinghours", "booking.service", "practice.therapist", "practice.clinic"
)
CONTACTS = _edit("practice.patient") - {"practice.delete_patient"}
MESSAGES = _view("outbox.message", "outbox.suppression", "outbox.textconsent", "outbox.inboundtext") | {
    "outbox.change_message",
    "outbox.change_inboundtext",
    "outbox.delete_suppression",
}

PERMISSIONS: Mapping[Role, frozenset[str]] = {
    Role.OWNER: frozenset(
        SCHEDULE
        | CONTACTS
        | MESSAGES
        | _edit(
            "booking.openinghours",
            "booking.service",
            "booking.calendarfeed",
            "practice.clinic",
            "practice.therapist",
            "practice.user",
            "outbox.messagerule",
            "education.article",
            "education.topic",
            "education.picture",
        )
        | _view("assessments.questionnaire", "practice.cleanuprun")
        | {"assessments.import_questionnaire", "assessments.publish_questionnaire"}
    ),
    Role.THERAPIST: frozenset(
        SCHEDULE
        | CONTACTS
        | MESSAGES
        | _edit("booking.openinghours", "booking.calendarfeed")
        | _view("assessments.questionnaire", "assessments.response", "assessments.flag", "assessments.rulesignoff")
        | {"assessments.change_flag", "assessments.sign_off_rules"}
    ),
    Role.FRONT_DESK: frozenset(SCHEDULE | CONTACTS | MESSAGES),
    Role.EDITOR: frozenset(_edit("education.article", "education.topic", "education.picture")),
    Role.AUDITOR: frozenset(_view("audit.accessevent", "audit.signinevent", "practice.user", "practice.cleanuprun")),
}


def permissions_of(roles: Iterable[str]) -> frozenset[str]:
    """Return the permissions that `roles` grant together."""
    return frozenset().union(*(PERMISSIONS[Role(role)] for role in roles))


class RoleBackend(BaseBackend):
    """Grants the permissions of a user's roles. Signs nobody in."""

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if not (isinstance(user_obj, User) and user_obj.is_active) or obj is not None:
            return set()
        return set(permissions_of(user_obj.roles))

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Whether the user has any permission in the app `app_label`."""
        return any(permission.startswith(f"{app_label}.") for permission in self.get_user_permissions(user_obj))
