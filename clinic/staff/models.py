"""Links and secrets of staff accounts."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from clinic.audit.fields import EncryptedJSONField


class StaffLink(models.Model):
    """A single-use link with which a member of staff chooses a password.

    Its token is derived from the id with the site's secret key (`clinic.staff.links`), so every copy of its email has
    the same link, and the database does not have it.
    """

    class Purpose(models.TextChoices):
        INVITATION = "invitation", "invitation"
        RESET = "reset", "forgotten password"
        EMERGENCY = "emergency", "emergency access"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    # An address, not a foreign key: a reset is requested before it is known whether an account has it.
    email = models.EmailField()
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["email"], name="staff_link_email")]
        constraints = [
            models.CheckConstraint(
                name="staff_link_purpose_is_known", condition=Q(purpose__in=["invitation", "reset", "emergency"])
            ),
            models.CheckConstraint(
                name="staff_link_expires_after_it_is_made", condition=Q(expires_at__gt=F("created_at"))
            ),
        ]

    def __str__(self) -> str:
        return self.get_purpose_display()


class FactorSecret(models.Model):
    """The secret of an authenticator app, or the seed of recovery codes, encrypted. allauth stores only the row's id."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    secret: "models.Field[str, str]" = EncryptedJSONField()

    def __str__(self) -> str:
        return "secret of a second factor"
