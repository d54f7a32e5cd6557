"""One writer at a time in a therapist's diary."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import IntegrityError, OperationalError, connection, transaction
from psycopg import errors

from booking.refusals import BusyTryAgain, SlotTaken


@contextmanager
def locked_diaries(therapist_ids: Iterable) -> Iterator[None]:
    """A transaction in which nobody else of ours writes in these therapists' diaries.

    The lock must come before the first read: at READ COMMITTED every statement after it sees what earlier holders have
    committed, so "is this still free?" is asked once and stays true until the commit. An empty slot has no row that
    could be locked instead. The exclusion constraint stands behind it for any other writer, and its word is final.

    Raises SlotTaken when that constraint speaks, BusyTryAgain when a lock was not to be had in time.
    """
    try:
        with transaction.atomic():
            for therapist_id in sorted(map(str, therapist_ids)):  # the same order for all, so nobody waits in a circle
                _lock_diary(therapist_id)
            yield
    except IntegrityError as error:
        if isinstance(error.__cause__, errors.ExclusionViolation):
            raise SlotTaken from error
        raise
    except OperationalError as error:
        if isinstance(error.__cause__, errors.LockNotAvailable):
            raise BusyTryAgain from error
        raise


def _lock_diary(therapist_id: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"diary:{therapist_id}"])
