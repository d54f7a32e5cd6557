"""Deletion of expired sessions, of staff and of visitors."""

from datetime import datetime

from django.contrib.sessions.models import Session

from clinic.practice.batches import BATCH, delete_batch


def delete_expired_sessions(*, now: datetime, limit: int = BATCH) -> int:
    """Delete at most `limit` expired sessions. Returns how many.

    An expired session cannot be used, but its row, which may have a visitor's encrypted answers, remains until deleted
    here.
    """
    return delete_batch(Session.objects.filter(expire_date__lte=now), limit=limit)
