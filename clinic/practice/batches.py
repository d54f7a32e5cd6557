"""Delete many rows in short transactions, without waiting for rows that another transaction has locked."""

from django.db import transaction
from django.db.models import QuerySet

BATCH = 1000  # rows; locked and deleted in well under a second


@transaction.atomic
def delete_batch(rows: QuerySet, *, limit: int = BATCH) -> int:
    """Delete at most `limit` of `rows` and return how many. Skips rows that another transaction has locked.

    Idempotent and safe to run concurrently: each row is locked by one run and skipped by the others.
    """
    keys = lock_batch(rows, limit=limit)
    rows.model._base_manager.filter(pk__in=keys).delete()
    return len(keys)


def lock_batch(rows: QuerySet, *, limit: int = BATCH) -> list:
    """Lock at most `limit` of `rows` until the transaction ends, skipping those that are locked. Returns their keys."""
    return list(rows.order_by().select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
