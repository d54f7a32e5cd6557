"""The site with the lock on the diaries taken away and a moment between looking and writing, to see that the fault test
notices."""

import time

from clinic.wsgi import application


def take_the_lock_away() -> None:
    """Only after the apps are loaded."""
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
