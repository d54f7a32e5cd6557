"""The site with the lock on the diaries taken away and a moment between looking and writing, to see that the fault test
notices."""

import time

import booking.appointments
import booking.diary_lock
from booking.rules import require_free
from clinic.wsgi import application


def look_and_dawdle(**place) -> None:
    """Look, then take as long as a busy server may."""
    require_free(**place)
    time.sleep(0.2)


booking.diary_lock._lock_diary = lambda therapist_id: None
booking.appointments.require_free = look_and_dawdle

__all__ = ["application"]
