"""Messages, suppressions, text consents, inbound texts, message templates, and the heartbeat of the sweep."""

import hashlib
import uuid
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Length, Lower, Now
from django.utils import timezone

from clinic.audit.fields import EncryptedJSONField
from clinic.practice.models import Patient
from clinic.practice.values.dates import format_date, format_day_and_time, format_utc
from clinic.practice.values.phone import format_phone

REASON_LENGTH = 120
LONGEST_MINUTES = 90 * 24 * 60  # the most that a rule may have


class Channel(models.TextChoices):
    EMAIL = "email", "email"
    SMS = "sms", "text message"


class State(models.TextChoices):
    WAITING = "waiting", "waiting"
    SENDING = "sending", "sending"
    SENT = "sent", "sent"
    SKIPPED = "skipped", "skipped"
    FAILED = "failed", "failed"


SETTLED = (State.SENT, State.SKIPPED, State.FAILED)


class MessageQuerySet(models.QuerySet):
    def due(self, now: datetime) -> "MessageQuerySet":
        """Filter to messages to send now: those that are due, and those whose lease has expired.

        Excludes texts that may have been sent already: see `texts.texting.fail_unsure_texts`.
        """
        return self.filter(
            Q(state=State.WAITING, next_attempt_at__lte=now)
            | (Q(state=State.SENDING, lease_until__lte=now) & ~Q(channel=Channel.SMS, attempts__gt=0))
        )

    def failed_recently(self, now: datetime, within: timedelta = timedelta(days=7)) -> "MessageQuerySet":
        """Filter to messages that failed less than `within` ago and were not sent again, newest first."""
        failed = self.filter(~Exists(later_copies()), state=State.FAILED, settled_at__gt=now - within)
        return failed.order_by("-settled_at")

    def with_sent_again_at(self) -> "MessageQuerySet":
        """Annotate `sent_again_at`: when staff last resent a message; None for the newest copy."""
        return self.annotate(sent_again_at=Subquery(later_copies().values("created_at")[:1]))

    def overdue(self, now: datetime, grace: timedelta = timedelta(minutes=2)) -> "MessageQuerySet":
        """Filter to messages that are still unsent `grace` after the time of their next attempt, oldest first.

        Includes messages leased to a worker, which may have died. Excludes messages that were postponed, or wait for a
        retry, until later than that.
        """
        late = Q(next_attempt_at__lte=now - grace)  # used in both halves, since each has its own index
        return self.filter(Q(late, state=State.WAITING) | Q(late, state=State.SENDING)).order_by("next_attempt_at")

    def oldest_overdue_age(self, now: datetime) -> timedelta:
        """Return the time since the oldest overdue message should have been attempted; zero if none is. For monitoring.

        It reveals a dead worker or beat within seconds after the next message is due.
        """
        oldest = self.overdue(now, grace=timedelta(0)).aggregate(oldest=models.Min("next_attempt_at"))["oldest"]
        return now - oldest if oldest else timedelta(0)


def later_copies(of: "Message | None" = None) -> MessageQuerySet:
    """Return the copies of the message `of` that `planning.resend_message` planned after it, newest first.

    Without `of`, return a subquery that refers to the outer query of messages. Copies differ in the suffix of their
    `dedupe_key`: none, "#2", …, "#10".
    """

    def value(name: str) -> Any:
        return getattr(of, name) if of else OuterRef(name)

    key: Any = value("dedupe_key")
    length: Any = len(key) if of else Length(key)
    same = {name: value(name) for name in ("kind", "subject_id", "version", "channel")}
    copies = Message.objects.filter(**same).alias(key_length=Length("dedupe_key"))
    later = Q(key_length__gt=length) | Q(key_length=length, dedupe_key__gt=key)
    return copies.filter(later).order_by("-key_length", "-dedupe_key")


class Message(models.Model):
    """One message about one version of a row, to a patient or (without `patient`) to staff.

    Its text is rendered when it is sent, and never stored.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40)
    channel = models.CharField(max_length=8, choices=Channel.choices, default=Channel.EMAIL)
    dedupe_key = models.CharField(max_length=120, unique=True)
    subject_id = models.UUIDField(db_index=True)  # the row it is about; in some alerts, the recipient or a constant
    version = models.PositiveIntegerField(default=1)
    scope = models.CharField(max_length=60, blank=True, help_text="The service whose templates apply.")
    patient = models.ForeignKey(Patient, null=True, blank=True, on_delete=models.PROTECT, related_name="messages")
    time_zone = models.CharField(
        "reader's time zone",
        max_length=64,
        blank=True,
        help_text="Quiet hours go by it. Empty: the clinic's.",
    )
    told_before = models.CharField(
        max_length=40,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="Digest of what the reader was told; news that reverts to it is not sent.",
    )
    due_at = models.DateTimeField("due")
    not_after = models.DateTimeField("not sent after")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    first_tried_at = models.DateTimeField("first attempt", null=True, blank=True)
    next_attempt_at = models.DateTimeField("next attempt")
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)
    settled_at = models.DateTimeField("ended", null=True, blank=True)
    created_at = models.DateTimeField("planned")
    sent_again_at: datetime | None  # set only by `with_sent_again_at`

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["-due_at"]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="message_waiting", condition=Q(state=State.WAITING)),
            models.Index(fields=["lease_until"], name="message_sending", condition=Q(state=State.SENDING)),
            models.Index(fields=["settled_at"], name="message_failed", condition=Q(state=State.FAILED)),
        ]
        constraints = [
            models.CheckConstraint(name="message_state_is_known", condition=Q(state__in=State.values)),
            models.CheckConstraint(name="message_is_due_before_it_is_too_late", condition=Q(due_at__lt=F("not_after"))),
            models.CheckConstraint(
                name="message_is_leased_while_sending",
                condition=Q(state=State.SENDING, lease_until__isnull=False, lease_token__isnull=False)
                | (~Q(state=State.SENDING) & Q(lease_until__isnull=True, lease_token__isnull=True)),
            ),
            models.CheckConstraint(
                name="message_is_settled_once_it_ends",
                condition=Q(state__in=SETTLED, settled_at__isnull=False)
                | (~Q(state__in=SETTLED) & Q(settled_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="message_says_why_it_was_not_sent",
                condition=~Q(state__in=(State.SKIPPED, State.FAILED), reason=""),
            ),
        ]

    def __str__(self) -> str:
        """Return channel, due time and state. The patient's name is omitted, because this text may be logged."""
        due = format_day_and_time(timezone.localtime(self.due_at))
        return f"{self.get_channel_display().capitalize()} due {due}, {self.get_state_display()}"

    @property
    def message_id(self) -> str:
        """The Message-ID: the same for every attempt to send this row, so that a mailbox can drop a duplicate."""
        digest = hashlib.sha256(self.dedupe_key.encode()).hexdigest()[:40]
        return f"<{digest}@{urlsplit(settings.SITE_URL).hostname}>"


class Sweep(models.Model):
    """Heartbeat of the sweep for due messages, in one row. It is expected from `first_started_at` on."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    first_started_at = models.DateTimeField(db_default=Now())  # when web, worker or beat first started on this database
    swept_at = models.DateTimeField(null=True)  # null: never

    class Meta:
        constraints = [models.CheckConstraint(name="sweep_is_one_row", condition=Q(id=1))]

    def __str__(self) -> str:
        return format_utc(self.swept_at) if self.swept_at else "never"


class Suppression(models.Model):
    """An address on the suppression list: it bounced, complained, or unsubscribed from messages not about visits."""

    class Why(models.TextChoices):
        BOUNCED = "bounced", "mail bounced"
        COMPLAINED = "complained", "marked our mail as spam"
        UNSUBSCRIBED = "unsubscribed", "wants messages about visits only"

    channel = models.CharField(max_length=8, choices=Channel.choices)
    address = models.CharField(max_length=254)
    why = models.CharField(max_length=12, choices=Why.choices)
    created_at = models.DateTimeField("blocked since")

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "blocked address"
        verbose_name_plural = "blocked addresses"
        constraints = [
            models.UniqueConstraint(fields=["channel", "address"], name="suppression_once_per_address"),
            models.CheckConstraint(name="suppression_channel_is_known", condition=Q(channel__in=Channel.values)),
            models.CheckConstraint(
                name="suppression_says_why", condition=Q(why__in=["bounced", "complained", "unsubscribed"])
            ),
            models.CheckConstraint(
                name="suppression_address_is_lower_case", condition=Q(address=Lower("address")) & ~Q(address="")
            ),
        ]

    def __str__(self) -> str:
        address = format_phone(self.address) if self.channel == Channel.SMS else self.address
        return f"{address} ({self.get_why_display()})"


class TextConsent(models.Model):
    """A patient's consent to texts to one number, in the wording that the patient agreed to.

    `withdrawn_at` is None until the consent is withdrawn or replaced.
    """

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="text_consents")
    phone = models.CharField(max_length=16)
    wording = models.TextField()
    instead_of_email = models.BooleanField("reminders by text only", default=False)
    given_at = models.DateTimeField("given")
    withdrawn_at = models.DateTimeField("withdrawn", null=True, blank=True)

    class Meta:
        ordering = ["-given_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient"], condition=Q(withdrawn_at=None), name="text_consent_in_force_is_one_per_patient"
            ),
            models.CheckConstraint(
                name="text_consent_has_a_number_and_a_wording", condition=~Q(phone="") & ~Q(wording="")
            ),
        ]

    def __str__(self) -> str:
        given = f"Given {format_date(timezone.localdate(self.given_at))}"
        return (
            f"{given}, withdrawn {format_date(timezone.localdate(self.withdrawn_at))}" if self.withdrawn_at else given
        )


class InboundTextQuerySet(models.QuerySet):
    def unread(self) -> "InboundTextQuerySet":
        """Filter to unread texts, oldest first."""
        return self.filter(read_at=None).order_by("received_at")


class InboundText(models.Model):
    """A text message that the clinic received and that staff must read. Its content is encrypted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provider_id = models.CharField(max_length=64, unique=True, editable=False)  # a webhook may be delivered twice
    phone = models.CharField("from", max_length=20)
    patient = models.ForeignKey(
        Patient,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="inbound_texts",
        help_text="The patient with this number when the text came. Empty if none or several have it.",
    )
    words: "models.Field[str, str]" = EncryptedJSONField()
    received_at = models.DateTimeField("received")
    answered_at = models.DateTimeField("answered automatically", null=True, blank=True)
    read_at = models.DateTimeField("read", null=True, blank=True)
    read_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = InboundTextQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at"]
        verbose_name = "text message received"
        verbose_name_plural = "text messages received"
        indexes = [
            models.Index(fields=["received_at"], name="inbound_text_unread", condition=Q(read_at=None)),
            models.Index(fields=["phone", "answered_at"], name="inbound_text_answered"),
        ]
        constraints = [
            models.CheckConstraint(
                name="inbound_text_read_has_a_time_and_a_user",
                condition=Q(read_at=None, read_by=None) | Q(read_at__isnull=False, read_by__isnull=False),
            ),
            models.CheckConstraint(name="inbound_text_has_a_provider_id", condition=~Q(provider_id="")),
        ]

    def __str__(self) -> str:
        return f"Text message of {format_day_and_time(timezone.localtime(self.received_at))}"


class MessageRule(models.Model):
    """The clinic's own message template: text and timing that override a kind's defaults."""

    kind = models.CharField(max_length=40)
    service_slug = models.SlugField(
        "service",
        max_length=60,
        blank=True,
        help_text="Empty: every service without a template of its own.",
    )
    channel = models.CharField(max_length=8, choices=Channel.choices, default=Channel.EMAIL)
    minutes = models.PositiveIntegerField(
        "time before or after the visit",
        default=0,
        validators=[MaxValueValidator(LONGEST_MINUTES)],
        help_text="Like 2 days, 1 hour or 90 minutes. Applies to visits booked from now on. 0 for messages sent at once.",
    )
    is_active = models.BooleanField(
        "sent", default=True, help_text="Off: none of these is sent, including those that are waiting now."
    )
    subject = models.CharField(max_length=120, blank=True, help_text="For emails. Text messages have none.")
    text = models.TextField(
        max_length=600,
        help_text="For emails, the opening: date, place and links follow automatically. For text messages, all of it.",
    )

    class Meta:
        ordering = ["kind", "service_slug"]
        verbose_name = "message template"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "service_slug", "channel"],
                name="message_rule_is_one_for_kind_service_and_channel",
                violation_error_message="There is a rule for this kind, service and channel already.",
            ),
            models.CheckConstraint(name="message_rule_channel_is_known", condition=Q(channel__in=Channel.values)),
            models.CheckConstraint(
                name="message_rule_is_within_ninety_days", condition=Q(minutes__lte=LONGEST_MINUTES)
            ),
        ]

    def __str__(self) -> str:
        return self.subject or self.text[:60]
