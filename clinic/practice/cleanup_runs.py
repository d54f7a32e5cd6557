"""Record runs of the cleanup and what they deleted, and tell whether the cleanup is overdue."""

from datetime import datetime, timedelta

from django.db.models import Min

from clinic.practice.batches import BATCH, delete_batch
from clinic.practice.models import CleanupRun, User

OVERDUE_AFTER = timedelta(days=2)
KEPT_FOR = timedelta(days=90)  # enough to see whether a number is unusual


def record_cleanup(
    *, started_at: datetime, ended_at: datetime, deleted: dict[str, int], unfinished: list[str]
) -> CleanupRun:
    """Record one run. `deleted` is {kind: rows}. `unfinished` are the kinds that may have rows left."""
    return CleanupRun.objects.create(
        started_at=started_at, ended_at=ended_at, deleted=deleted, unfinished=sorted(unfinished)
    )


def cleanup_overdue_since(*, now: datetime) -> datetime | None:
    """Return the start of the last finished cleanup if it was OVERDUE_AFTER ago or earlier, else None.

    If none has finished yet, uses the time at which the first staff account was created, which is part of setting up
    the site. Makes at most two queries.
    """
    since = (
        CleanupRun.objects.filter(unfinished=[]).order_by("-started_at").values_list("started_at", flat=True).first()
    )
    since = since or User.objects.aggregate(first=Min("created_at"))["first"]
    return since if since and now - since >= OVERDUE_AFTER else None


def delete_expired_runs(*, now: datetime, limit: int = BATCH) -> int:
    """Delete at most `limit` records of runs older than KEPT_FOR. Returns how many."""
    return delete_batch(CleanupRun.objects.filter(started_at__lte=now - KEPT_FOR), limit=limit)
