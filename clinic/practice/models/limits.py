"""The budgets of the rate limits."""

from django.db import models

from clinic.practice.values.dates import format_utc


class RateLimit(models.Model):
    """How far one budget is used up; `clinic.practice.access.rate_limits` has the limits and is the only writer."""

    key = models.UUIDField(primary_key=True, editable=False, help_text="A keyed hash of the limit and whom it is for.")
    whole_at = models.DateTimeField(help_text="When the whole budget is there again; after it the row means nothing.")

    def __str__(self):
        return f"whole at {format_utc(self.whole_at)}"
