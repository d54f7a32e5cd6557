"""Delete expired sessions, of staff and of visitors who answered the hip screen."""

from datetime import datetime

from django.contrib.sessions.models import Session

from clinic.practice.batches import BATCH, delete_batch


def delete_expired_sessions(*, now: datetime, limit: int = BATCH) -> int:
    """Delete at most `limit` sessions that have expired, with everything in them. Returns how many.

    An expired session cannot be used; this deletes its row, with a visitor's sealed answers.
    """
    return delete_batch(Session.objects.filter(expire_date__lte=now), limit=limit)
