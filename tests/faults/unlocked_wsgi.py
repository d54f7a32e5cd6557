"""The site without the lock on schedules and with a delay between check and write, which the fault test must detect."""

import time

from clinic.wsgi import application


def take_the_lock_away() -> None:
    """Remove the lock and add the delay. Call this only after the apps are loaded."""
    from booking.actions import book as appointments
    from booking.schedule import locking

    look = appointments.require_free

    def look_and_dawdle(**place) -> None:
        look(**place)
        time.sleep(0.2)

    locking._lock = lambda statement, key: True
    appointments.require_free = look_and_dawdle


take_the_lock_away()
__all__ = ["application"]
