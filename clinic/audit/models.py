"""Who read or changed what about a patient (append-only: a trigger refuses anything else), and the state of the encryption."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class Action(models.TextChoices):
    """What was done, in the letters FHIR's AuditEvent uses."""

    CREATE = "C", "created"
    READ = "R", "read"
    UPDATE = "U", "changed"
    DELETE = "D", "deleted"
    EXECUTE = "E", "acted on"


class AccessEvent(models.Model):
    """One act on one record. `actor` is empty when a patient or the system itself acted. Holds no contents."""

    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=1, choices=Action.choices)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=40)
    patient_id = models.UUIDField(null=True, db_index=True)
    at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(name="access_event_action_is_known", condition=Q(action__in=Action.values))
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.object_type}"


class KeyInUse(models.Model):
    """A key that values in this database are sealed with; `proof` is a known word sealed with it. See `keys`."""

    key_id = models.CharField(max_length=60, primary_key=True)
    proof = models.BinaryField()

    class Meta:
        constraints = [models.CheckConstraint(name="key_in_use_has_an_id", condition=~Q(key_id=""))]

    def __str__(self) -> str:
        return self.key_id


class UnopenedValue(models.Model):
    """A sealed value that did not open when it was last read: the field and row it is in, never what it holds."""

    place = models.CharField(max_length=200, primary_key=True)  # as `EncryptedJSONField.place` has it
    tried_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.place
