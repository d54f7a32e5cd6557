"""Patient links and confirmation codes."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import F, Q

from clinic.practice.models.patients import Patient
from clinic.practice.values.dates import format_date


class Proof(models.IntegerChoices):
    """Level of proof that a request comes from the patient it is about. Each level includes those before it."""

    SHOWN = 1, "shown in a browser"  # in the browser that sent the form, or texted to a typed number
    MAILED = 2, "mailed"  # the link was emailed to the patient
    CONFIRMED = 3, "confirmed"  # an emailed code or the birth date, within the last CONFIRMED_FOR


class LinkPurpose(models.TextChoices):
    VISIT = "visit", "manage a visit"
    INTAKE = "intake", "fill in the questions before a visit"
    MESSAGES = "messages", "choose messages"
    RETURN = "return", "book again"
    WAITING = "waiting", "see or leave the wait list"
    OFFER = "offer", "take a time that was freed"


class PatientLink(models.Model):
    """A link for one patient and one purpose. Stores only the token's hash. `proof` depends on the token's delivery."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token_hash = models.BinaryField(max_length=32, unique=True)
    purpose = models.CharField(max_length=16, choices=LinkPurpose.choices)
    subject_id = models.UUIDField(db_index=True)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="links")
    proof = models.PositiveSmallIntegerField(choices=Proof.choices)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [  # for the cleanup
            models.Index(fields=["expires_at"], name="patient_link_by_expiry"),
            models.Index(fields=["revoked_at"], name="patient_link_by_revocation", condition=~Q(revoked_at=None)),
        ]
        constraints = [
            models.CheckConstraint(
                name="patient_link_expires_after_it_begins", condition=Q(expires_at__gt=F("created_at"))
            ),
            models.CheckConstraint(name="patient_link_purpose_is_known", condition=Q(purpose__in=LinkPurpose.values)),
            models.CheckConstraint(
                name="patient_link_is_shown_or_mailed", condition=Q(proof__in=[Proof.SHOWN, Proof.MAILED])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} until {format_date(self.expires_at)}"

    def is_open(self, now: datetime) -> bool:
        """Whether the link is neither revoked nor expired at `now`."""
        return self.revoked_at is None and now < self.expires_at


class ConfirmationCode(models.Model):
    """A six-digit code emailed to a patient. It is derived from the row's id (`access.confirmation`), never stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="confirmation_codes")
    wrong_tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return "confirmation code"
