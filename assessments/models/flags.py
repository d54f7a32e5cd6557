"""Flags, the alerts to staff about them, and the sign-off of their rules."""

import uuid
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, F, Min, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.crypto import salted_hmac

from assessments.models.follow_ups import FlagFollowUp, Reached
from assessments.models.levels import FIRST_REVIEW_WITHIN, Level
from assessments.models.responses import Response
from assessments.red_flag_rules.evaluation import is_about_unsure
from assessments.red_flag_rules.format import DEADLINES
from clinic.audit.fields import EncryptedJSONField
from clinic.practice.values.dates import format_day_and_time


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

        The advice of an emergency or urgent flag is shown until staff have handled the flag or the answer changes.
        For an emergency, that is not enough: the advice also stays until the patient has read it, or staff have
        recorded that they reached the patient. Otherwise, one press by staff would remove the advice to call 911 from
        the pages of a patient who has never seen it.
        """
        reached = FlagFollowUp.objects.filter(flag=OuterRef("pk"), reached__in=Reached.by_any_means())
        is_told = Q(patient_acknowledged_at__isnull=False) | Exists(reached.filter(at__gte=OuterRef("raised_at")))
        is_settled = Q(staff_acknowledged_at__isnull=False) & (~Q(current_level=Level.EMERGENCY) | is_told)
        return self.with_current_level("EU").exclude(is_settled)

    def with_first_seen(self) -> Self:
        """Annotate `first_seen_at`: when staff first recorded anything since `waiting_since`, or None."""
        seen = FlagFollowUp.objects.filter(flag=OuterRef("pk"), raised_at=OuterRef("waiting_since"))
        first = seen.order_by().values("flag").annotate(first=Min("at")).values("first")
        # The process of an earlier release acknowledges without a follow-up.
        return self.annotate(first_seen_at=Coalesce(Subquery(first), F("staff_acknowledged_at")))

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

    `waiting_since` is the first raising that staff have not followed up. If a flag is raised again before staff have
    seen it, the wait goes on, unless it is now more urgent than ever before. Follow-ups are in `follow_ups`.
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
    waiting_since = models.DateTimeField(db_default=Now(), editable=False)
    version = models.PositiveIntegerField(
        default=1,
        db_default=1,
        editable=False,
        help_text="Rises when the flag is raised again or followed up. Forms of an older version are refused.",
    )

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
            self.waiting_since = self.raised_at
        super().save(*args, **kwargs)

    def is_overdue(self, now: datetime) -> bool:
        """Return whether an emergency or urgent flag has waited for staff for FIRST_REVIEW_WITHIN or longer."""
        wait = FIRST_REVIEW_WITHIN.get(self.level)
        return self.staff_acknowledged_at is None and wait is not None and now - self.raised_at >= wait

    @property
    def minutes_to_seen(self) -> int | None:
        """Whole minutes from `waiting_since` until staff saw the flag; None if they have not. See `with_first_seen`."""
        seen_at: datetime | None = getattr(self, "first_seen_at", None)
        return None if seen_at is None else max(0, (seen_at - self.waiting_since) // timedelta(minutes=1))

    @property
    def is_handled(self) -> bool:
        """Whether staff have handled the flag since it was last raised or reopened."""
        return self.staff_acknowledged_at is not None

    @property
    def is_open_emergency(self) -> bool:
        """Whether it is an emergency now that staff have not handled. One press does not settle it: see `Done`."""
        return self.current_level == Level.EMERGENCY and not self.is_handled

    @property
    def is_replaced(self) -> bool:
        """Whether the flag has closed itself (see `FlagQuerySet.open`)."""
        return self.closes_when_lowered and self.lowered_at is not None


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
