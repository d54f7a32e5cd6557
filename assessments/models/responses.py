"""Questionnaires, patients' responses, and their scores."""

import uuid
from datetime import datetime
from functools import cached_property
from typing import Any, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import Func, Q, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, Concat, NullIf, Trim
from django.utils import timezone

from assessments.fhir_json.canonical import LOCAL
from assessments.fhir_json.parsing import parse_once
from assessments.questionnaire.model import Questionnaire as ParsedQuestionnaire
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
