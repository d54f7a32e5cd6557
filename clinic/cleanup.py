"""Delete expired rows. The schedule is in `clinic.celery`.

Each room has functions that delete a batch of its rows. They run in turns, so that a million rows of one kind neither
hold locks for long nor delay another kind. Records that the law or the clinic requires are never deleted here:
patients, visits, answers, messages, suppressions, text consents, the wait list with its offers, the audit log
and the log of sign-ins.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime

from celery import shared_task
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from booking.actions.hold import delete_expired_holds
from booking.actions.return_links import delete_expired_requests
from booking.calendar_feed.feeds import delete_expired_feeds
from clinic.practice.access.confirmation import delete_expired_codes
from clinic.practice.access.links import delete_expired_links
from clinic.practice.access.rate_limits import delete_expired_rate_limits
from clinic.practice.access.sessions import delete_expired_sessions
from clinic.practice.cleanup_runs import delete_expired_runs, record_cleanup
from clinic.practice.models import CleanupRun
from clinic.staff.links import delete_expired_staff_links

logger = logging.getLogger(__name__)

LONGEST_S = 200  # seconds of a run, below the broker's visibility timeout; the next run deletes the rest

# Name for staff, and the function that deletes one batch and returns its size.
EXPIRING: dict[str, Callable[..., int]] = {
    "sessions": delete_expired_sessions,
    "patient links": delete_expired_links,
    "staff links": delete_expired_staff_links,
    "confirmation codes": delete_expired_codes,
    "holds": delete_expired_holds,
    "requests to be recognized": delete_expired_requests,
    "rate limits": delete_expired_rate_limits,
    "calendar addresses": delete_expired_feeds,
    "clean-up reports": delete_expired_runs,
}


@shared_task(name="clinic.cleanup.delete_expired", soft_time_limit=LONGEST_S + 40, time_limit=LONGEST_S + 60)
def delete_expired() -> None:
    delete_expired_rows(clock=timezone.now)


def delete_expired_rows(*, clock: Callable[[], datetime], patience_s: float = LONGEST_S) -> CleanupRun:
    """Delete expired rows and record the run. Idempotent, even if two runs overlap.

    After `patience_s` seconds the rest is left for the next run. A kind that fails does not stop the others; it is
    recorded as unfinished.
    """
    started_at, stop_at = clock(), time.monotonic() + patience_s
    deleted, remaining, unfinished = dict.fromkeys(EXPIRING, 0), dict(EXPIRING), []
    while remaining and time.monotonic() < stop_at:
        for kind, delete in list(remaining.items()):
            try:
                count = delete(now=started_at)
            except (DatabaseError, InterfaceError):
                logger.exception("clean-up: %s failed", kind)
                if not connection.is_usable():
                    connection.close()  # the next kind opens a new one
                unfinished.append(kind)
                del remaining[kind]
                continue
            deleted[kind] += count
            if count:
                logger.info("clean-up: %s, %d rows so far", kind, deleted[kind])
            else:
                del remaining[kind]
    unfinished += remaining
    logger.info("clean-up: %d rows in all, unfinished: %s", sum(deleted.values()), ", ".join(unfinished) or "none")
    return record_cleanup(started_at=started_at, ended_at=clock(), deleted=deleted, unfinished=unfinished)
