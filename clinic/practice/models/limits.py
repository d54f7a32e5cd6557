"""Stored state of the rate limits."""

from django.db import models

from clinic.practice.values.dates import format_utc


class RateLimit(models.Model):
    """One budget's state. `clinic.practice.access.rate_limits` defines the limits and is the only writer."""

    key = models.UUIDField(primary_key=True, editable=False, help_text="A keyed hash of the limit and its subject.")
    whole_at = models.DateTimeField(
        help_text="When the whole budget is available again; after that the row has expired."
    )

    def __str__(self) -> str:
        return f"whole at {format_utc(self.whole_at)}"
