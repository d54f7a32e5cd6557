"""Questionnaires, patients' responses, and the flags, scores and alerts that follow from them."""

import uuid
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import Case, F, Func, Q, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, Concat, NullIf, Trim
from django.utils import timezone
from django.utils.crypto import salted_hmac

from assessments.fhir_json.canonical import LOCAL
from assessments.fhir_json.parsing import parse_once
from assessments.questionnaire.model import Questionnaire as ParsedQuestionnaire
from assessments.red_flag_rules.evaluation import is_about_unsure
from assessments.red_flag_rules.format import DEADLINES
from clinic.audit.fields import EncryptedJSONField
from clinic.practice.models import Patient
from clinic.practice.values.dates import format_day_and_time

# SQL equivalent of canonical.canonical_of. The generated column always matches the definition.
TEXT = models.TextField()
URL = Func(KT("definition__url"), Value("|"), Value(1), function="split_part", output_field=TEXT)
BY_SLUG = Concat(Value(LOCAL, output_field=TEXT), Cast("slug", TEXT), output_field=TEXT)
CANONICAL = Coalesce(NullIf(Trim(URL), Value("", output_field=TEXT)), BY_SLUG, output_field=TEXT)


class QuestionnaireQuerySet(models.QuerySet["Questionnaire"]):
    def published(self) -> Self:
        """Return the published versions by slug, the newest of each first."""
        return self.filter(published_at__isnull=False).order_by("slug", "-version")

    def of(self, canonical: str) -> Self:
        """Return the versions of one questionnaire, newest first."""
        return self.filter(canonical=canonical).order_by("-version")


class Questionnaire(models.Model):
    """One version of a questionnaire, as a FHIR R4 Questionnaire. Its definition is immutable once it has a response.

    `canonical`, the url of the file or one made from `slug`, is the same for all versions. Services refer to `slug`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField("short name", max_length=60)
    canonical = models.GeneratedField(expression=CANONICAL, output_field=TEXT, db_persist=True)
    version = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=120)
    definition = models.JSONField()
    published_at = models.DateTimeField("published", null=True, blank=True)
    created_at = models.DateTimeField("imported")

    objects = QuestionnaireQuerySet.as_manager()

    class Meta:
        ordering = ["slug", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["slug", "version"], name="questionnaire_version_is_unique"),
            ExclusionConstraint(
                name="questionnaire_slug_names_one_canonical",
                expressions=[("slug", RangeOperators.EQUAL), ("canonical", RangeOperators.NOT_EQUAL)],
            ),
        ]
        permissions = [
            ("import_questionnaire", "Can import a questionnaire from a file"),
            ("publish_questionnaire", "Can publish a questionnaire to patients"),
        ]

    def __str__(self) -> str:
        return f"{self.title}, version {self.version}"

    @cached_property
    def parsed(self) -> ParsedQuestionnaire:
        """The definition as frozen dataclasses, shared in the process. Raises InvalidQuestionnaire."""
        return parse_once(self.definition)


class ResponseStatus(models.TextChoices):
    """The status of a response, with FHIR's codes."""

    IN_PROGRESS = "in-progress", "in progress"
    COMPLETED = "completed", "done"


class Response(models.Model):
    """The answers of one patient to one version. `answers` is {linkId: [value, …]}, encrypted and never logged."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    questionnaire = models.ForeignKey(Questionnaire, on_delete=models.PROTECT, related_name="responses")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="responses")
    status = models.CharField(max_length=16, choices=ResponseStatus.choices, default=ResponseStatus.IN_PROGRESS)
    answers: "models.Field[dict[str, list], dict[str, list]]" = EncryptedJSONField(default=dict)
    saved_pages = models.JSONField(default=list, help_text="The pages that were saved without an open question.")
    created_at = models.DateTimeField("sent")
    saved_at = models.DateTimeField("last saved", null=True)
    completed_at = models.DateTimeField("done", null=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "intake"
        indexes = [models.Index(fields=["patient", "-created_at"], name="response_of_patient")]
        constraints = [
            models.CheckConstraint(name="response_status_is_known", condition=Q(status__in=ResponseStatus.values)),
            models.CheckConstraint(
                name="response_completed_has_an_instant",
                condition=Q(status="in-progress") | Q(completed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"Intake of {format_day_and_time(timezone.localtime(self.created_at))}, {self.get_status_display()}"

    @property
    def progress(self) -> str:
        """The progress of the patient, "none", "part" or "done", without decrypting an answer."""
        if self.status == ResponseStatus.COMPLETED:
            return "done"
        return "part" if self.saved_at else "none"

    @property
    def changed_at(self) -> datetime | None:
        """The time of the last save after `completed_at`, the first completion; None without one, or while reopened."""
        if self.saved_at is None or self.completed_at is None or self.status != ResponseStatus.COMPLETED:
            return None
        return self.saved_at if self.saved_at > self.completed_at else None


class Level(models.TextChoices):
    """The urgency of a flag: get help now, see a doctor soon, or tell the therapist at the visit."""

    EMERGENCY = "E", "emergency"
    URGENT = "U", "urgent"
    TELL = "T", "tell the therapist"


FIRST_REVIEW_WITHIN: dict[str, timedelta] = {Level.EMERGENCY: timedelta(minutes=30), Level.URGENT: timedelta(hours=4)}


class FlagQuerySet(models.QuerySet["Flag"]):
    def open(self) -> Self:
        """Return the flags that staff have not acknowledged, worst first.

        A changed answer does not close a flag, because staff must review it. The exception is a flag for an "I am not
        sure". It closes once the question is answered in full, and the flags of that answer replace it.
        """
        return (
            self.filter(staff_acknowledged_at__isnull=True)
            .exclude(closes_when_lowered=True, lowered_at__isnull=False)
            .worst_first()
        )

    def unseen_by_patient(self) -> Self:
        """Return the current flags that the patient has not acknowledged, by current level, worst first."""
        return self.with_current_level("EUT").filter(patient_acknowledged_at__isnull=True)

    def advising(self) -> Self:
        """Return the flags whose advice is shown on the patient's pages, worst first.

        The advice of an emergency or urgent flag is shown until staff acknowledge the flag or the answer changes.
        """
        return self.with_current_level("EU").filter(staff_acknowledged_at__isnull=True)

    def with_current_level(self, levels: str) -> Self:
        """Return the flags that the current answers raise at one of `levels`, worst first."""
        return self.filter(current_level__in=list(levels)).worst_first("current_level")

    def worst_first(self, level: str = "level") -> Self:
        """Order by the column `level` (by default the highest level ever), then by deadline and time, soonest first."""
        severity = Case(When(**{level: "E"}, then=Value(0)), When(**{level: "U"}, then=Value(1)), default=Value(2))
        by_deadline = [When(action=deadline, then=Value(place)) for place, deadline in enumerate(DEADLINES)]
        return self.order_by(severity, Case(*by_deadline, default=Value(len(DEADLINES))), "raised_at", "pk")


def rule_key(response_id: uuid.UUID, rule_id: str) -> str:
    """Return a keyed hash of a rule and a response, for the unique constraint.

    The same rule has a different key on every response, so the column does not reveal which rules fired.
    """
    return salted_hmac("assessments.flag", f"{response_id}:{rule_id}", algorithm="sha256").hexdigest()


class Flag(models.Model):
    """One rule that fired on one response.

    `level` is the highest level that it ever had. `current_level` follows the answers and is empty once the rule no
    longer fires. `snapshot` has the answers that fired the rule. It and `rule_id` are encrypted, so that a copy of the
    database shows that something was urgent, but not what it was.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    response = models.ForeignKey(Response, on_delete=models.CASCADE, related_name="flags")
    rule_id: "models.Field[str, str]" = EncryptedJSONField()
    rule_key = models.CharField(max_length=64, editable=False)
    closes_when_lowered = models.BooleanField(
        default=False,
        editable=False,
        help_text="Raised by an “I am not sure”. Closes itself once the question is answered in full.",
    )
    rule_version = models.PositiveSmallIntegerField()
    level = models.CharField(max_length=1, choices=Level.choices)
    current_level = models.CharField(max_length=1, choices=Level.choices, blank=True)
    action = models.CharField(max_length=30, help_text="Which text the patient sees.")
    snapshot: "models.Field[dict[str, list], dict[str, list]]" = EncryptedJSONField(default=dict)
    raised_at = models.DateTimeField("raised")
    shown_at = models.DateTimeField(null=True)
    patient_acknowledged_at = models.DateTimeField(null=True)
    callback_requested_at = models.DateTimeField("asked for a call", null=True)
    staff_acknowledged_at = models.DateTimeField("handled", null=True)
    staff_acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", verbose_name="handled by"
    )
    lowered_at = models.DateTimeField(null=True)

    objects = FlagQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["response", "rule_key"], name="flag_once_per_response_and_rule"),
            models.CheckConstraint(name="flag_level_is_known", condition=Q(level__in=Level.values)),
            models.CheckConstraint(
                name="flag_lowered_has_an_instant",
                condition=Q(current_level=F("level")) | Q(lowered_at__isnull=False),
            ),
            models.CheckConstraint(
                name="flag_acknowledgement_has_a_time_and_a_user",
                condition=Q(staff_acknowledged_at__isnull=True, staff_acknowledged_by__isnull=True)
                | Q(staff_acknowledged_at__isnull=False, staff_acknowledged_by__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["raised_at"], condition=Q(staff_acknowledged_at__isnull=True), name="flag_waits_for_staff"
            )
        ]

    def __str__(self) -> str:
        """Omit the rule, because it reveals the medical concern."""
        return f"Flag ({self.get_level_display()}) of {format_day_and_time(timezone.localtime(self.raised_at))}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the flag. On creation, set the unencrypted columns that depend on the rule."""
        if self._state.adding:
            self.rule_key = rule_key(self.response_id, self.rule_id)
            self.closes_when_lowered = is_about_unsure(self.rule_id)
        super().save(*args, **kwargs)

    def is_overdue(self, now: datetime) -> bool:
        """Return whether an emergency or urgent flag has waited for staff for FIRST_REVIEW_WITHIN or longer."""
        wait = FIRST_REVIEW_WITHIN.get(self.level)
        return self.staff_acknowledged_at is None and wait is not None and now - self.raised_at >= wait


class Score(models.Model):
    """A score of a completed response. `result` is {"value", "answered", "of"}, encrypted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    response = models.ForeignKey(Response, on_delete=models.CASCADE, related_name="scores")
    measure = models.CharField(max_length=40)
    result: "models.Field[dict[str, Any], dict[str, Any]]" = EncryptedJSONField(default=dict)
    scored_at = models.DateTimeField()

    class Meta:
        ordering = ["measure"]
        constraints = [
            models.UniqueConstraint(fields=["response", "measure"], name="score_once_per_response_and_measure")
        ]

    def __str__(self) -> str:
        return self.measure


class StaffAlert(models.Model):
    """An alert to staff about an urgent response. The messages in the outbox refer to this row.

    `recipient` is null if no member of staff has permission to view flags. The alert then goes to the clinic's own
    address. The email has only a time and a link to the admin, so that it names no patient.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    response = models.ForeignKey(Response, on_delete=models.CASCADE, related_name="alerts")
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    level = models.CharField(max_length=1, choices=Level.choices)
    planned_at = models.DateTimeField()

    class Meta:
        ordering = ["-planned_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["response", "recipient", "level", "planned_at"],
                name="alert_once_per_person_and_instant",
                nulls_distinct=False,
            ),
            models.CheckConstraint(name="alert_is_about_what_cannot_wait", condition=Q(level__in=["E", "U"])),
        ]

    def __str__(self) -> str:
        return f"Alert, {self.get_level_display()}"


class RuleSignOff(models.Model):
    """A therapist's sign-off of the rules that raise flags and signals.

    `digest` is a hash of the rules, so changed rules need a new sign-off even under the same version.
    """

    version = models.PositiveSmallIntegerField()
    digest = models.CharField(max_length=64, unique=True, editable=False)
    signed_by = models.ForeignKey("practice.Therapist", on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField()

    class Meta:
        ordering = ["-signed_at"]
        verbose_name = "signed-off rule set"
        permissions = [("sign_off_rules", "Can sign off the rules, as a therapist")]

    def __str__(self) -> str:
        return f"Version {self.version}, signed off by {self.signed_by}"
