"""The permissions of each role of staff. Decided only here.

A member of staff has any number of roles (`User.roles`), chosen by an owner. `RoleBackend` grants the permissions of
this table, so a change here takes effect on the next request. Each role has what its day needs and nothing else
(minimum necessary, 45 CFR 164.514(d)). Permissions that were granted on the command line, to a user or by a group, count
as well; the admin neither shows nor changes them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.db.models import QuerySet

from clinic.practice.models import Role, User


def _may(verbs: str, *models: str) -> set[str]:
    """Return the permissions for each of `verbs` ("view add change") on each of `models` ("app.model")."""
    pairs = [model.split(".") for model in models]
    return {f"{app}.{verb}_{name}" for app, name in pairs for verb in verbs.split()}


# Visits are marked, moved and canceled with the change permission. No one deletes a visit or a patient.
SCHEDULE = (
    _may("view add change", "booking.appointment", "booking.waitlistentry")
    | _may("view add change delete", "booking.hoursoverride")
    | _may("view", "booking.openinghours", "booking.service", "practice.therapist", "practice.clinic")
)
CONTACTS = _may("view add change", "practice.patient")
# Messages are resent or withheld with the change permission, texts are marked as read.
MESSAGES = (
    _may("view change", "outbox.message", "outbox.inboundtext")
    | _may("view delete", "outbox.suppression")
    | _may("view", "outbox.textconsent")
)
HOURS = _may("view add change delete", "booking.openinghours") | _may("view add", "booking.calendarfeed")
LIBRARY = _may("view add change delete", "education.article", "education.topic", "education.picture")
AUDIT = _may("view", "audit.accessevent", "audit.signinevent", "practice.cleanuprun")
CLINICAL = (
    _may("view", "assessments.response", "assessments.rulesignoff")
    | _may("view change", "assessments.flag")
    | {"assessments.sign_off_rules", "booking.view_source_article", "practice.export_patient", "practice.merge_patient"}
)

PERMISSIONS: Mapping[Role, frozenset[str]] = {
    # Also checks who read what: a small clinic has no one else for that.
    Role.OWNER: frozenset(
        SCHEDULE
        | CONTACTS
        | MESSAGES
        | HOURS
        | LIBRARY
        | _may("view add change", "booking.service", "practice.clinic", "practice.therapist", "practice.user")
        | _may("view add change delete", "outbox.messagerule")
        | AUDIT
        | {"assessments.view_questionnaire", "assessments.import_questionnaire"}
        | {"practice.merge_patient", "practice.erase_patient"}
    ),
    # Reviews articles, and decides which questionnaire patients get.
    Role.THERAPIST: frozenset(
        SCHEDULE
        | CONTACTS
        | MESSAGES
        | HOURS
        | CLINICAL
        | _may("view add change", "education.article", "education.picture")
        | _may("view", "education.topic", "assessments.questionnaire")
        | {"assessments.publish_questionnaire"}
    ),
    Role.FRONT_DESK: frozenset(SCHEDULE | CONTACTS | MESSAGES),
    Role.EDITOR: frozenset(LIBRARY),
    Role.AUDITOR: frozenset(AUDIT | _may("view", "practice.user")),
}

# Permissions of no role, which open no page of the admin. First whole apps; then models that the site alone writes.
COMMAND_LINE_APPS = {"account", "admin", "auth", "contenttypes", "mfa", "sessions", "staff", "usersessions"}
COMMAND_LINE_ONLY = frozenset(
    _may(
        "view add change delete",
        *("assessments.flagfollowup", "assessments.score", "assessments.staffalert"),
        *("audit.keyinuse", "audit.unopenedvalue"),
        *("booking.appointmentevent", "booking.returnrequest", "booking.slotoffer"),
        *("education.formerslug", "education.picturesize", "education.revision", "outbox.sweep"),
        *("practice.confirmationcode", "practice.patientlink", "practice.ratelimit"),
    )
    | _may("add change delete", "assessments.questionnaire", "assessments.response", "assessments.rulesignoff")
    | _may("add change delete", "audit.accessevent", "audit.signinevent")
    | _may("add change delete", "outbox.textconsent", "practice.cleanuprun")
    | _may("add delete", "assessments.flag", "outbox.inboundtext", "outbox.message")
    | _may("add change", "outbox.suppression")
    | _may("change delete", "booking.calendarfeed")
    | _may("delete", "booking.appointment", "booking.service", "booking.waitlistentry")
    | _may("delete", "practice.clinic", "practice.patient", "practice.therapist", "practice.user")
)


def permissions_of(roles: Iterable[str]) -> frozenset[str]:
    """Return the permissions that `roles` grant together."""
    return frozenset().union(*(PERMISSIONS[Role(role)] for role in roles))


def roles_with(permission: str) -> list[str]:
    """Return the roles that grant `permission`."""
    return [role.value for role, granted in PERMISSIONS.items() if permission in granted]


class RoleBackend(BaseBackend):
    """Grants the permissions of a user's roles. Does not authenticate."""

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if not (isinstance(user_obj, User) and user_obj.is_active) or obj is not None:
            return set()
        return set(permissions_of(user_obj.roles))

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Whether the user has any permission in the app `app_label`."""
        return any(permission.startswith(f"{app_label}.") for permission in self.get_user_permissions(user_obj))

    def with_perm(self, perm: str) -> QuerySet[User]:
        """Return the active users whose roles grant `perm`."""
        return User.objects.filter(is_active=True, roles__overlap=roles_with(perm))
