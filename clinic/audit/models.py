"""The logs of access to patients' records and of sign-ins, and the state of the encryption.

Database triggers make both logs append-only.
"""

from django.apps import apps
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q, Value


class Action(models.TextChoices):
    """Actions on a record, with FHIR's AuditEvent codes."""

    CREATE = "C", "created"
    READ = "R", "read"
    UPDATE = "U", "changed"
    DELETE = "D", "deleted"
    EXECUTE = "E", "acted on"


def describe_type(object_type: str) -> str:
    """Return the name of the model `object_type` ("booking.appointment") for staff, even if it no longer exists."""
    try:
        return str(apps.get_model(object_type)._meta.verbose_name)
    except LookupError:
        return object_type.rpartition(".")[2].replace("_", " ")


class Who(models.TextChoices):
    """Who acted, if it was not a member of staff with a name."""

    STAFF = "staff", "a member of staff"
    LINK = "link", "a patient, by their link"
    OUTSIDE = "outside", "a form or a text from outside"
    SITE = "site", "the site itself"


class AccessEvent(models.Model):
    """One action on the data of patients, or one page that showed it, without its contents. Append-only.

    `who` is empty in rows from before it was recorded. `roles` are those of `actor` at the time. `page` is the name of
    the URL, empty outside a request. `object_id` is empty for a page that shows several rows. `network` is the block of
    the visitor's address.
    """

    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    who = models.CharField(max_length=7, choices=Who, blank=True, db_default="", default="")
    roles = models.CharField(max_length=100, blank=True, db_default="", default="")
    action = models.CharField(max_length=1, choices=Action.choices)
    page = models.CharField(max_length=100, blank=True, db_default="", default="")
    object_type = models.CharField(max_length=60, blank=True)
    object_id = models.CharField(max_length=40, blank=True)
    patient_ids = ArrayField(models.UUIDField(), blank=True, default=list, db_default=Value("{}"))
    network = models.CharField(max_length=43, blank=True, db_default="", default="")
    at = models.DateTimeField("when", db_index=True)

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = "audit log entry"
        verbose_name_plural = "audit log"
        indexes = [GinIndex(fields=["patient_ids"], name="access_event_patients")]
        constraints = [
            models.CheckConstraint(name="access_event_action_is_known", condition=Q(action__in=Action.values)),
            models.CheckConstraint(name="access_event_who_is_known", condition=Q(who__in=["", *Who.values])),
            models.CheckConstraint(
                name="access_event_of_staff_has_an_actor",
                condition=Q(who="") | Q(who=Who.STAFF, actor__isnull=False) | ~Q(who=Who.STAFF) & Q(actor=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{describe_type(self.object_type).capitalize()} {self.get_action_display()}"


class SignInKind(models.TextChoices):
    """What happened to an account or a session of a member of staff."""

    SIGNED_IN = "signed-in", "signed in"
    FAILED = "failed", "failed to sign in"
    THROTTLED = "throttled", "tried too often"
    SIGNED_OUT = "signed-out", "signed out"
    TIMED_OUT = "timed-out", "signed out after a pause"
    ENDED = "ended", "signed out from another session"
    RESET_ASKED = "reset-asked", "asked for a new password"
    PASSWORD_CHANGED = "password-changed", "changed the password"
    FACTOR_ADDED = "factor-added", "added a second step"
    FACTOR_REMOVED = "factor-removed", "removed a second step"
    RECOVERY_USED = "recovery-used", "used a recovery code"
    REAUTHENTICATED = "reauthenticated", "confirmed the sign-in"
    INVITED = "invited", "invited"
    ROLES_CHANGED = "roles-changed", "roles changed"
    EMERGENCY = "emergency", "let in by the emergency command"


class SignInEvent(models.Model):
    """One event of an account: when, from which network and kind of browser. Append-only.

    `user` is the account, empty if the email address was unknown. `by` is the member of staff who did it to another's
    account. `network` and `browser` are empty if unknown, or if a command did it.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name="account",
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField("what", max_length=20, choices=SignInKind)
    network = models.CharField(max_length=43, blank=True)
    browser = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField("when", db_index=True)

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = "sign-in log entry"
        verbose_name_plural = "sign-in log"
        constraints = [
            models.CheckConstraint(name="sign_in_event_kind_is_known", condition=Q(kind__in=SignInKind.values))
        ]

    def __str__(self) -> str:
        return self.get_kind_display().capitalize()


class KeyInUse(models.Model):
    """A key that values in this database are encrypted with. `proof` is a known value encrypted with it. See `keys`."""

    key_id = models.CharField(max_length=60, primary_key=True)
    proof = models.BinaryField()

    class Meta:
        constraints = [models.CheckConstraint(name="key_in_use_has_an_id", condition=~Q(key_id=""))]

    def __str__(self) -> str:
        return self.key_id


class UnopenedValue(models.Model):
    """An encrypted value that could not be decrypted when it was last read: its field and row, never its content."""

    place = models.CharField(max_length=200, primary_key=True)  # as returned by `EncryptedJSONField.place`
    tried_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.place
