"""Every message that leaves the house is a row that can be seen."""

import hashlib
import uuid
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now
from django.utils import timezone

from clinic.audit.fields import EncryptedJSONField
from clinic.practice.models import Patient
from clinic.practice.values.dates import format_utc
from clinic.practice.values.phone import format_phone

REASON_LENGTH = 120
LONGEST_MINUTES = 90 * 24 * 60  # of a rule


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
        """Messages to send now: those whose time has come, and those whose lease has run out.

        But never a text that may have gone already: see `texts.fail_unsure_texts`.
        """
        return self.filter(
            Q(state=State.WAITING, next_attempt_at__lte=now)
            | (Q(state=State.SENDING, lease_until__lte=now) & ~Q(channel=Channel.SMS, attempts__gt=0))
        )

    def failed_recently(self, now: datetime, within: timedelta = timedelta(days=7)) -> "MessageQuerySet":
        """Those given up on in the `within` before `now`, newest first."""
        return self.filter(state=State.FAILED, settled_at__gt=now - within).order_by("-settled_at")

    def overdue(self, now: datetime, grace: timedelta = timedelta(minutes=2)) -> "MessageQuerySet":
        """Those still not handed over `grace` after they should have been tried, oldest first.

        Those too that a worker has taken, for it may have died. A message postponed to the end of quiet hours, or between
        two tries, is not overdue.
        """
        late = Q(next_attempt_at__lte=now - grace)  # repeated, as each half has an index of its own
        return self.filter(Q(late, state=State.WAITING) | Q(late, state=State.SENDING)).order_by("next_attempt_at")

    def oldest_overdue_age(self, now: datetime) -> timedelta:
        """How long the longest-waiting message has been waiting past its time; zero when none is. For monitoring.

        A worker or a beat that is dead shows here within seconds of the next message that should have gone.
        """
        oldest = self.overdue(now, grace=timedelta(0)).aggregate(oldest=models.Min("next_attempt_at"))["oldest"]
        return now - oldest if oldest else timedelta(0)


class Message(models.Model):
    """One message to one patient about one version of one row. Its words are made when it is sent, never kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40)
    channel = models.CharField(max_length=8, choices=Channel.choices, default=Channel.EMAIL)
    dedupe_key = models.CharField(max_length=120, unique=True)
    subject_id = models.UUIDField(db_index=True)  # the row it is about; only the app that planned it knows which
    version = models.PositiveIntegerField(default=1)
    scope = models.CharField(max_length=60, blank=True, help_text="Which rules hold for it: the service's slug.")
    patient = models.ForeignKey(Patient, null=True, blank=True, on_delete=models.PROTECT, related_name="messages")
    time_zone = models.CharField(
        max_length=64,
        blank=True,
        help_text="The reader's, by which hours are quiet: an IANA name. Empty: the clinic's.",
    )
    told_before = models.CharField(
        max_length=40,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="Digest of what the reader knows, for news that is dropped once it is so again.",
    )
    due_at = models.DateTimeField()
    not_after = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    first_tried_at = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField()
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

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
        return f"{self.get_channel_display()}, {self.get_state_display()}"

    @property
    def message_id(self) -> str:
        """The same for every copy of this message, so that a reader's mailbox can drop a twin."""
        digest = hashlib.sha256(self.dedupe_key.encode()).hexdigest()[:40]
        return f"<{digest}@{urlsplit(settings.SITE_URL).hostname}>"


class Sweep(models.Model):
    """Heartbeat of the sweep for due messages, and since when one is expected. There is one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    first_started_at = models.DateTimeField(db_default=Now())  # when web, worker or beat first started on this database
    swept_at = models.DateTimeField(null=True)  # null: never

    class Meta:
        constraints = [models.CheckConstraint(name="sweep_is_one_row", condition=Q(id=1))]

    def __str__(self) -> str:
        return format_utc(self.swept_at) if self.swept_at else "never"


class Suppression(models.Model):
    """An address we do not write to: it bounced, complained, or asked us to stop."""

    class Why(models.TextChoices):
        BOUNCED = "bounced", "does not take our mail"
        COMPLAINED = "complained", "said our mail was spam"
        UNSUBSCRIBED = "unsubscribed", "wants nothing that is not about a visit"

    channel = models.CharField(max_length=8, choices=Channel.choices)
    address = models.CharField(max_length=254)
    why = models.CharField(max_length=12, choices=Why.choices)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "address we do not write to"
        verbose_name_plural = "addresses we do not write to"
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
    """That a patient agreed to texts, in which words and when; and when they had enough."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="text_consents")
    phone = models.CharField(max_length=16)
    wording = models.TextField()
    instead_of_email = models.BooleanField("reminders by text only", default=False)
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-given_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient"], condition=Q(withdrawn_at=None), name="text_consent_one_stands_for_a_patient"
            ),
            models.CheckConstraint(
                name="text_consent_is_for_a_number_in_words", condition=~Q(phone="") & ~Q(wording="")
            ),
        ]

    def __str__(self) -> str:
        return f"until {timezone.localdate(self.withdrawn_at)}" if self.withdrawn_at else "stands"


class InboundTextQuerySet(models.QuerySet):
    def unread(self) -> "InboundTextQuerySet":
        """Those that no member of staff has marked as read, the longest waiting first."""
        return self.filter(read_at=None).order_by("received_at")


class InboundText(models.Model):
    """A text message that came to the clinic's number and that a person must read; its words are encrypted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provider_id = models.CharField(max_length=64, unique=True, editable=False)  # the webhook may call twice
    phone = models.CharField("from", max_length=20)
    patient = models.ForeignKey(
        Patient,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="inbound_texts",
        help_text="The one with this number when it came. Empty: nobody has it, or several do.",
    )
    words = EncryptedJSONField()
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
                name="inbound_text_is_read_by_somebody",
                condition=Q(read_at=None, read_by=None) | Q(read_at__isnull=False, read_by__isnull=False),
            ),
            models.CheckConstraint(name="inbound_text_has_a_provider_id", condition=~Q(provider_id="")),
        ]

    def __str__(self) -> str:
        return "Text message"


class MessageRule(models.Model):
    """How long before or after a visit a message of a kind goes, and in which words, where the clinic's differ from ours."""

    kind = models.CharField(max_length=40)
    service_slug = models.SlugField(
        "service",
        max_length=60,
        blank=True,
        help_text="Its name in the web address. Empty: every service without a rule of its own.",
    )
    channel = models.CharField(max_length=8, choices=Channel.choices, default=Channel.EMAIL)
    minutes = models.PositiveIntegerField(
        default=0,
        validators=[MaxValueValidator(LONGEST_MINUTES)],
        help_text="2 hours are 120, a day is 1440. Holds for visits booked from now on. What goes at once has 0.",
    )
    is_active = models.BooleanField(
        "is sent", default=True, help_text="Off: none of these goes out, also of those that wait now."
    )
    subject = models.CharField(max_length=120, blank=True, help_text="Of a mail; a text has none.")
    text = models.TextField(
        max_length=600,
        help_text="Of a mail, the opening: when, where and the links follow by themselves. Of a text, all of it.",
    )

    class Meta:
        ordering = ["kind", "service_slug"]
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
        return f"{self.subject or self.text[:60]} ({self.service_slug or 'every service'})"
