"""Calendar feeds of therapists."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from clinic.practice.values.dates import format_date


class CalendarFeed(models.Model):
    """A secret URL from which a calendar app reads a therapist's visits. Only a hash of the URL's token is stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    therapist = models.ForeignKey(
        "practice.Therapist",
        on_delete=models.CASCADE,
        related_name="calendar_feeds",
        help_text="Whose visits it shows.",
    )
    token_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    created_at = models.DateTimeField("created", editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    revoked_at = models.DateTimeField(null=True, editable=False)
    last_read_at = models.DateTimeField("last read", null=True, editable=False)
    days_read = models.PositiveIntegerField(
        default=0, editable=False
    )  # once it reaches `feeds.REGULAR_AFTER_DAYS`, staff are alerted if the feed is no longer read
    failed_at = models.DateTimeField(null=True, editable=False)  # None after the next success

    class Meta:
        ordering = ("-created_at",)
        verbose_name = "calendar address"
        verbose_name_plural = "calendar addresses"

    def __str__(self) -> str:
        return f"{self.therapist}, since {format_date(timezone.localdate(self.created_at))}"
