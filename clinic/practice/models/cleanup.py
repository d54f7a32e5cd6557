"""The runs of the cleanup."""

from django.db import models
from django.db.models import F, Q

from clinic.practice.values.dates import format_utc


class CleanupRun(models.Model):
    """One run of `clinic.cleanup`. `deleted` is {kind: rows}; `unfinished` are the kinds that may have rows left."""

    started_at = models.DateTimeField("ran", db_index=True)
    ended_at = models.DateTimeField()
    deleted = models.JSONField(default=dict)
    unfinished = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["-started_at"]
        verbose_name = "deletion of expired data"
        verbose_name_plural = "deletions of expired data"
        constraints = [
            models.CheckConstraint(name="cleanup_run_ends_after_it_starts", condition=Q(ended_at__gte=F("started_at")))
        ]

    def __str__(self) -> str:
        return format_utc(self.started_at)
