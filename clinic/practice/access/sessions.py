"""The end of sessions: of staff, and of visitors who answered the hip screen before booking."""

from datetime import datetime

from django.contrib.sessions.models import Session

from clinic.practice.batches import BATCH, delete_batch


def delete_expired_sessions(*, now: datetime, limit: int = BATCH) -> int:
    """Delete at most `limit` sessions that have expired, with everything in them. Returns how many.

    An expired session opens for no one; only its row, with a visitor's sealed answers, is left.
    """
    return delete_batch(Session.objects.filter(expire_date__lte=now), limit=limit)
