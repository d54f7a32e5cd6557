"""Advisory locks on therapists' schedules, and lock timeouts.

`booking.schedule.rules.lock_patient` documents the order of locks.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from django.db import IntegrityError, OperationalError, connection, transaction
from psycopg import errors

from booking.schedule.errors import BusyTryAgain, SlotTaken

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0)) IS NOT NULL"
# Returns false after a wait for another holder. The lock is then only shared, with the other callers that waited.
LOCK_OR_WAIT = """
    SELECT CASE WHEN pg_try_advisory_xact_lock(key) THEN true ELSE pg_advisory_xact_lock_shared(key) IS NULL END
    FROM hashtextextended(%s, 0) AS key"""


BUSY = (errors.LockNotAvailable, errors.DeadlockDetected)


@contextmanager
def row_locks() -> Iterator[None]:
    """Open a transaction in which the caller locks rows. Also a decorator.

    Raises BusyTryAgain on a lock timeout or a deadlock.
    """
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

    The lock must be taken before the first read. At READ COMMITTED every later statement then sees what earlier holders
    committed, so a slot that is free remains free until the commit. Row locks would not do, because an empty slot has
    no row. The exclusion constraint protects against writers without the lock.

    `check_first` runs only after a wait for the lock. When the holder is done, all waiting callers run `check_first` at
    the same time, and those for which it raises exit with its exception instead of queueing. Passing this check does
    not guarantee that the slot is free.

    Raises SlotTaken on an exclusion violation, and BusyTryAgain on a lock timeout or a deadlock. Raises RuntimeError if
    `check_first` is given inside another transaction, which would keep the shared lock, so that two callers could
    deadlock.
    """
    # Sorted to prevent deadlocks. The prefix is the one that earlier releases use, so that both lock the same key.
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
    """Take the lock until the transaction ends. Return whether it is exclusive."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [key])
        return cursor.fetchone()[0]
