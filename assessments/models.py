"""Questionnaires as data, what patients answered, and what in their answers must not wait."""

import uuid
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import Case, F, Func, Q, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, Concat, NullIf, Trim
from django.utils.crypto import salted_hmac

from assessments.fhir_json.canonical import LOCAL
from assessments.fhir_json.parsing import parse_questionnaire
from assessments.questionnaire.model import Questionnaire as ParsedQuestionnaire
from clinic.audit.fields import EncryptedJSONField
from clinic.practice.models import Patient

# canonical.canonical_of, worked out by the database, so that a row's identity cannot differ from its definition.
TEXT = models.TextField()
URL = Func(KT("definition__url"), Value("|"), Value(1), function="split_part", output_field=TEXT)
BY_SLUG = Concat(Value(LOCAL, output_field=TEXT), Cast("slug", TEXT), output_field=TEXT)
CANONICAL = Coalesce(NullIf(Trim(URL), Value("", output_field=TEXT)), BY_SLUG, output_field=TEXT)


class QuestionnaireQuerySet(models.QuerySet):
    def published(self):
        """Those that patients may be asked, the newest version of each first."""
        return self.filter(published_at__isnull=False).order_by("slug", "-version")

    def of(self, canonical: str):
        """Every version of one questionnaire, the newest first."""
        return self.filter(canonical=canonical).order_by("-version")


class Questionnaire(models.Model):
    """One version of one questionnaire: a FHIR R4 Questionnaire. Once somebody has answered it, it never changes again.

    `canonical` is the url of its file and says what it is a version of; `slug` is the name that services go by.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=60)
    canonical = models.GeneratedField(expression=CANONICAL, output_field=TEXT, db_persist=True)
    version = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=120)
    definition = models.JSONField()
    published_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

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

    def __str__(self):
        return f"{self.title}, version {self.version}"

    @cached_property
    def parsed(self) -> ParsedQuestionnaire:
        """The definition as frozen dataclasses. Raises parsing.DefinitionInvalid if it is not one we can ask."""
        return parse_questionnaire(self.definition)


class ResponseStatus(models.TextChoices):
    """FHIR's words for how far a response is."""

    IN_PROGRESS = "in-progress", "in progress"
    COMPLETED = "completed", "done"


class Response(models.Model):
    """What one patient answered to one version. `answers` is {linkId: [value, …]}, encrypted and never logged."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    questionnaire = models.ForeignKey(Questionnaire, on_delete=models.PROTECT, related_name="responses")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="responses")
    status = models.CharField(max_length=16, choices=ResponseStatus.choices, default=ResponseStatus.IN_PROGRESS)
    answers: "models.Field[dict[str, list], dict[str, list]]" = EncryptedJSONField(default=dict)
    saved_pages = models.JSONField(default=list, help_text="The pages that were saved without an open question.")
    created_at = models.DateTimeField()
    saved_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)

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

    def __str__(self):
        return f"Answers, {self.get_status_display()}"

    @property
    def progress(self) -> str:
        """How far the patient is: "none", "part" or "done". Reads no answer."""
        if self.status == ResponseStatus.COMPLETED:
            return "done"
        return "part" if self.saved_at else "none"

    @property
    def changed_at(self):
        """When a finished response was last saved again; None if it is as it was first finished. `completed_at` stays."""
        is_changed = self.status == ResponseStatus.COMPLETED and self.saved_at and self.saved_at > self.completed_at
        return self.saved_at if is_changed else None


class Level(models.TextChoices):
    """How fast a flag needs somebody: an emergency now, a doctor soon, or the therapist at the visit."""

    EMERGENCY = "E", "emergency"
    URGENT = "U", "urgent"
    TELL = "T", "tell the therapist"


FIRST_LOOK_WITHIN = {Level.EMERGENCY: timedelta(minutes=30), Level.URGENT: timedelta(hours=4)}


class FlagQuerySet(models.QuerySet):
    def open(self):
        """Those that no member of staff has acknowledged, worst first.

        A changed answer does not close a flag: somebody of the clinic looks at it. Only an "I am not sure" that was
        then answered in full closes itself; the flags of the full answer took its place.
        """
        return (
            self.filter(staff_acknowledged_at__isnull=True)
            .exclude(closes_when_lowered=True, lowered_at__isnull=False)
            .worst_first()
        )

    def unseen_by_patient(self):
        """Those that stand and that the patient has not yet acknowledged, worst first as they stand now."""
        return self.standing("EUT").filter(patient_acknowledged_at__isnull=True)

    def advising(self):
        """Those whose advice the patient must not lose sight of, worst first: until staff have seen to them, or the
        answer was changed."""
        return self.standing("EU").filter(staff_acknowledged_at__isnull=True)

    def standing(self, levels: str):
        """Those that the answers raise now, at one of `levels`, worst first."""
        return self.filter(current_level__in=list(levels)).worst_first("current_level")

    def worst_first(self, level: str = "level"):
        """By the highest level a flag ever had, or by another column."""
        severity = Case(When(**{level: "E"}, then=Value(0)), When(**{level: "U"}, then=Value(1)), default=Value(2))
        return self.order_by(severity, "raised_at", "pk")


def rule_key(response_id: uuid.UUID, rule_id: str) -> str:
    """A keyed hash of a rule on one response, by which the database keeps its flag unique. The same rule has another key on
    every other response, so that equal keys tell nothing."""
    return salted_hmac("assessments.flag", f"{response_id}:{rule_id}", algorithm="sha256").hexdigest()


class Flag(models.Model):
    """One rule that fired on one response.

    `level` is the highest it ever had; `current_level` follows the answers and is empty once the rule no longer fires.
    `rule_id` and `snapshot`, what was answered, are encrypted: a copy of the database shows that something could not wait,
    not what it was.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    response = models.ForeignKey(Response, on_delete=models.CASCADE, related_name="flags")
    rule_id: "models.Field[str, str]" = EncryptedJSONField()
    rule_key = models.CharField(max_length=64, editable=False)
    closes_when_lowered = models.BooleanField(
        default=False, editable=False, help_text="Raised by an “I am not sure”: answered in full, it closes itself."
    )
    rule_version = models.PositiveSmallIntegerField()
    level = models.CharField(max_length=1, choices=Level.choices)
    current_level = models.CharField(max_length=1, choices=Level.choices, blank=True)
    action = models.CharField(max_length=30, help_text="Which words the patient is shown.")
    snapshot: "models.Field[dict[str, list], dict[str, list]]" = EncryptedJSONField(default=dict)
    raised_at = models.DateTimeField()
    shown_at = models.DateTimeField(null=True)
    patient_acknowledged_at = models.DateTimeField(null=True)
    callback_requested_at = models.DateTimeField(null=True)
    staff_acknowledged_at = models.DateTimeField(null=True)
    staff_acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
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
                name="flag_acknowledged_by_somebody",
                condition=Q(staff_acknowledged_at__isnull=True, staff_acknowledged_by__isnull=True)
                | Q(staff_acknowledged_at__isnull=False, staff_acknowledged_by__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["raised_at"], condition=Q(staff_acknowledged_at__isnull=True), name="flag_waits_for_staff"
            )
        ]

    def __str__(self):
        return f"Flag, {self.get_level_display()}"

    def save(self, *args, **kwargs):
        """Keep what the database can see of the rule in step with it."""
        if self._state.adding:
            self.rule_key = rule_key(self.response_id, self.rule_id)
            self.closes_when_lowered = self.rule_id.startswith("UN")
        super().save(*args, **kwargs)

    def is_overdue(self, now) -> bool:
        """Whether an emergency or urgent flag has waited longer for its first look than its level allows."""
        wait = FIRST_LOOK_WITHIN.get(self.level)
        return self.staff_acknowledged_at is None and wait is not None and now - self.raised_at >= wait


class Score(models.Model):
    """A number worked out from a completed response; `result` is encrypted: {"value", "answered", "of"}."""

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

    def __str__(self):
        return self.measure


class StaffAlert(models.Model):
    """Someone is told that something in one response must not wait; the outbox's messages are about this row.

    Without a `recipient` it goes to the clinic's own address: no member of staff could be told. It names the response, so
    that a mail need not: the mail holds only a link to the admin.
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

    def __str__(self):
        return f"Alert, {self.get_level_display()}"


class RuleSignOff(models.Model):
    """A therapist has read the rules that raise flags and signals and stands for them.

    `digest` is of the rules' content: a changed rule needs a new signature, whatever version it claims.
    """

    version = models.PositiveSmallIntegerField()
    digest = models.CharField(max_length=64, unique=True, editable=False)
    signed_by = models.ForeignKey("practice.Therapist", on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField()

    class Meta:
        ordering = ["-signed_at"]
        verbose_name = "signed-off rule set"
        permissions = [("sign_off_rules", "Can sign off the rules, as a therapist")]

    def __str__(self):
        return f"Version {self.version}, signed off by {self.signed_by}"
