"""Run functions on several database connections at once, and wait for their locks."""

import threading
import time
from collections import Counter

from django.db import DatabaseError, connection, connections

from booking.schedule.errors import BookingRefused


def waiting_for_locks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return cursor.fetchone()[0]


def wait_until(is_so) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline, "not so within 30 seconds"
        time.sleep(0.01)


def race(runners) -> list:
    """Start all runners at the same moment, each on its own connection. Return their results or errors, in order."""
    outcomes, gate = [None] * len(runners), threading.Barrier(len(runners))

    def run(place, runner):
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '30s'")  # a busy machine must not decide which runner loses, or how
            gate.wait(timeout=30)
            outcomes[place] = runner()
        except (BookingRefused, DatabaseError) as error:
            outcomes[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(runners)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads), "a runner is stuck"
    return outcomes


def kinds_of(outcomes) -> Counter:
    return Counter(type(outcome).__name__ for outcome in outcomes)


def overlaps() -> int:
    """Return the number of pairs of visits of one therapist whose blocked times overlap, counted in SQL."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM booking_appointment a JOIN booking_appointment b ON a.id < b.id"
            " AND a.therapist_id = b.therapist_id AND a.blocked && b.blocked"
            " AND a.status IN ('held', 'booked') AND b.status IN ('held', 'booked')"
        )
        return cursor.fetchone()[0]
