"""Advisory locks on therapists' schedules, and lock timeouts.

The order of locks is at `booking.schedule.rules.lock_patient`.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from django.db import IntegrityError, OperationalError, connection, transaction
from psycopg import errors

from booking.schedule.errors import BusyTryAgain, SlotTaken

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0)) IS NOT NULL"
# False after a wait for another holder, which is done by now; then the lock is shared with other waiting callers.
LOCK_OR_WAIT = """
    SELECT CASE WHEN pg_try_advisory_xact_lock(key) THEN true ELSE pg_advisory_xact_lock_shared(key) IS NULL END
    FROM hashtextextended(%s, 0) AS key"""


BUSY = (errors.LockNotAvailable, errors.DeadlockDetected)


@contextmanager
def row_locks() -> Iterator[None]:
    """Open a transaction that locks rows. Also a decorator. Raises BusyTryAgain on a lock timeout or a deadlock."""
    try:
        with transaction.atomic():
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, BUSY):
            raise BusyTryAgain from error
        raise


@contextmanager
def locked_schedules(therapist_ids: Iterable, *, check_first: Callable[[], None] | None = None) -> Iterator[None]:
    """Open a transaction with an exclusive lock on the schedules of these therapists.

    The lock must come before the first read: at READ COMMITTED every later statement sees what earlier holders committed,
    so that a free slot stays free until the commit. An empty slot has no row to lock. The exclusion constraint protects
    against writers without the lock.

    `check_first` runs after a wait for the lock: once the holder is done, all waiting callers run it together, and those that
    have lost leave by its exception instead of queueing. Passing this check does not guarantee that the slot is free.

    Raises SlotTaken on an exclusion violation, BusyTryAgain on a lock timeout or a deadlock, and RuntimeError for
    `check_first` inside another transaction: that would keep the shared lock of the wait, and two callers could deadlock.
    """
    # Sorted against deadlocks. The prefix is the lock key of earlier releases.
    keys = [f"diary:{key}" for key in sorted(map(str, therapist_ids))]
    try:
        if check_first is not None:
            with transaction.atomic(durable=True):
                is_ours = [_lock(LOCK_OR_WAIT, key) for key in keys]
                if all(is_ours):
                    yield
                    return
                check_first()
        with transaction.atomic():
            for key in keys:
                _lock(LOCK, key)
            yield
    except IntegrityError as error:
        if isinstance(error.__cause__, errors.ExclusionViolation):
            raise SlotTaken from error
        raise
    except OperationalError as error:
        if isinstance(error.__cause__, BUSY):
            raise BusyTryAgain from error
        raise


def _lock(statement: str, key: str) -> bool:
    """Take the lock until the transaction ends. Returns whether it is exclusive."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [key])
        return cursor.fetchone()[0]
