"""The follow-ups of a flag: what staff did about it, in order."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from assessments.models.levels import Level
from clinic.audit.fields import EncryptedJSONField
from clinic.practice.values.dates import format_day_and_time


class FollowUpKind(models.TextChoices):
    """What kind of entry a follow-up is."""

    ACKNOWLEDGED = "acknowledged", "marked as handled"
    FOLLOWED_UP = "followed-up", "followed up"
    REOPENED = "reopened", "reopened"


class Reached(models.TextChoices):
    """How the patient was reached. Empty: no one tried to reach the patient."""

    PHONE = "phone", "by phone"
    TEXT = "text", "by text message, and they answered"
    EMAIL = "email", "by email, and they answered"
    IN_PERSON = "in-person", "in person"
    NOT_REACHED = "not-reached", "not reached"

    @classmethod
    def by_any_means(cls) -> list["Reached"]:
        """Return the values that mean that the patient was reached."""
        return [cls.PHONE, cls.TEXT, cls.EMAIL, cls.IN_PERSON]


class Outcome(models.TextChoices):
    """What was done about a flag. Empty: nothing, because the patient was not reached."""

    TALKED = "talked", "talked it through"
    LEFT_MESSAGE = "left-message", "left a message"
    EMERGENCY_CARE = "emergency-care", "told to go to emergency care"
    REFERRED = "referred", "referred to a doctor"
    SEEN = "seen", "seen at the clinic"
    DOCTOR_FOUND = "doctor-found", "heard what the doctor found"
    NO_ACTION = "no-action", "no action needed"


class Finding(models.TextChoices):
    """What a doctor found, compared with the concern of the flag's rule."""

    CONFIRMED = "confirmed", "the concern was confirmed"
    RULED_OUT = "ruled-out", "the concern was ruled out"
    SOMETHING_ELSE = "something-else", "something else that needs care"
    UNKNOWN = "unknown", "not known yet"


class FlagFollowUp(models.Model):
    """An entry of what staff did about a flag. Append-only: triggers allow only changes of the note.

    `raised_at`, `level` and `rule_version` are those of the flag at that time, because raising it again overwrites them.
    `raised_at` is the flag's `waiting_since`, so the first entry with it ends that wait. `settles`: the entry marked the
    flag as handled. `note` is encrypted. Erasing a patient removes it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    flag = models.ForeignKey("assessments.Flag", on_delete=models.CASCADE, related_name="follow_ups")
    kind = models.CharField(max_length=12, choices=FollowUpKind.choices)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reached = models.CharField(max_length=12, choices=Reached.choices, blank=True, default="")
    outcome = models.CharField(max_length=16, choices=Outcome.choices, blank=True, default="")
    finding = models.CharField(max_length=16, choices=Finding.choices, blank=True, default="")
    settles = models.BooleanField(default=False)
    note: "models.Field[str | None, str | None]" = EncryptedJSONField(null=True)
    raised_at = models.DateTimeField()
    level = models.CharField(max_length=1, choices=Level.choices)
    rule_version = models.PositiveSmallIntegerField()
    version = models.PositiveIntegerField(help_text="The flag’s version after this entry.")

    class Meta:
        ordering = ["version"]
        verbose_name = "follow-up of a flag"
        verbose_name_plural = "follow-ups of flags"
        constraints = [
            models.UniqueConstraint(fields=["flag", "version"], name="follow_up_version_once_per_flag"),
            models.CheckConstraint(name="follow_up_kind_is_known", condition=Q(kind__in=FollowUpKind.values)),
            models.CheckConstraint(name="follow_up_reached_is_known", condition=Q(reached__in=["", *Reached.values])),
            models.CheckConstraint(name="follow_up_outcome_is_known", condition=Q(outcome__in=["", *Outcome.values])),
            models.CheckConstraint(name="follow_up_finding_is_known", condition=Q(finding__in=["", *Finding.values])),
            models.CheckConstraint(name="follow_up_level_is_known", condition=Q(level__in=Level.values)),
            models.CheckConstraint(
                name="follow_up_says_what_was_done_or_that_no_one_was_reached",
                condition=~Q(kind="followed-up") & Q(reached="", outcome="", finding="")
                | Q(kind="followed-up") & (~Q(outcome="") | Q(reached="not-reached")),
            ),
            models.CheckConstraint(
                name="follow_up_has_a_finding_only_from_a_doctor",
                condition=Q(outcome="doctor-found") & ~Q(finding="") | ~Q(outcome="doctor-found") & Q(finding=""),
            ),
            models.CheckConstraint(
                name="follow_up_without_reaching_the_patient_settles_nothing",
                condition=~Q(reached="not-reached") | Q(outcome__in=["", "left-message"], settles=False),
            ),
            models.CheckConstraint(
                name="follow_up_reaches_no_one_by_a_message",
                condition=~Q(outcome="left-message") | Q(reached="not-reached"),
            ),
            models.CheckConstraint(
                name="follow_up_by_talking_reaches_the_patient",
                condition=~Q(outcome__in=["talked", "emergency-care"]) | ~Q(reached=""),
            ),
            models.CheckConstraint(
                name="follow_up_at_the_clinic_is_in_person",
                condition=~Q(outcome="seen") | Q(reached="in-person"),
            ),
            models.CheckConstraint(
                name="follow_up_settles_by_its_kind",
                condition=Q(kind="followed-up")
                | Q(kind="acknowledged", settles=True)
                | Q(kind="reopened", settles=False),
            ),
        ]

    def __str__(self) -> str:
        """Omit the outcome and the finding, which are medical."""
        return f"Follow-up of {format_day_and_time(timezone.localtime(self.at))}"

    @property
    def what(self) -> str:
        """What was done, such as "left a message, not reached"."""
        if self.kind != FollowUpKind.FOLLOWED_UP:
            return self.get_kind_display()
        parts = (self.get_outcome_display(), self.get_reached_display(), self.get_finding_display())
        return ", ".join(filter(None, parts if self.outcome else parts[1:]))

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the row, or overwrite its note. Raises TypeError for any other change."""
        if not self._state.adding and set(kwargs.get("update_fields") or ()) != {"note"}:
            raise TypeError("follow-ups are append-only")
        super().save(*args, **kwargs)
