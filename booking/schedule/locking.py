"""Locks: one writer at a time in a therapist's schedule, and waits that end in BusyTryAgain. Their order is at
`booking.schedule.rules.lock_patient`."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from django.db import IntegrityError, OperationalError, connection, transaction
from psycopg import errors

from booking.schedule.errors import BusyTryAgain, SlotTaken

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0)) IS NOT NULL"
# False where somebody else had it: then they are done by now, and nobody has it alone while we look.
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
def locked_schedules(therapist_ids: Iterable, *, look_first: Callable[[], None] | None = None) -> Iterator[None]:
    """Open a transaction that alone writes in these therapists' schedules.

    The lock must come before the first read: at READ COMMITTED every statement after it sees what earlier holders have
    committed, so "is this still free?" is asked once and stays true until the commit. An empty slot has no row that
    could be locked instead. The exclusion constraint stands behind it for any other writer, and its word is final.

    A caller that has to wait for the lock may `look_first`: once the holder is done, all waiting callers check together, and
    those that have lost leave by the exception it raises instead of queueing. Passing this check does not guarantee that
    the slot is free. Not inside another transaction, which would keep the shared lock of the wait: two callers that then
    ask for the lock would wait for each other. Raises RuntimeError there.

    Raises SlotTaken on an exclusion violation, BusyTryAgain on a lock timeout or a deadlock.
    """
    keys = [f"diary:{key}" for key in sorted(map(str, therapist_ids))]  # one order for all: nobody waits in a circle
    try:
        if look_first is not None:
            with transaction.atomic(durable=True):
                is_ours = [_lock(LOCK_OR_WAIT, key) for key in keys]
                if all(is_ours):
                    yield
                    return
                look_first()
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
    """Lock until the transaction ends; whether it is ours alone."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [key])
        return cursor.fetchone()[0]
