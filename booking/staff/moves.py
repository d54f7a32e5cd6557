"""Moves by a member of staff that can still be undone, for the pages that offer it."""

from copy import copy
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from booking.actions.change import Kind, terms_before_move
from booking.messages.change_text import format_move
from booking.models import Appointment, AppointmentEvent
from booking.models.visit_states import UNDO_FOR
from booking.schedule.clocks import clock_of_visit
from booking.schedule.local_time import LocalTime, clinic_time
from clinic.practice.models import Clinic, User

MOST_SHOWN = 3


@dataclass(frozen=True)
class UndoableMove:
    """A move, and what `booking/_undo_move.html` says about it."""

    visit: Appointment
    text: str  # from when to when, by the clinic's clock
    patients_time: str  # the new time, if the patient's clock differs
    until: LocalTime  # by the clinic's clock
    is_silent: bool


def undoable_moves(*, by: User, visit: Appointment | None = None, now: datetime) -> list[UndoableMove]:
    """Return the moves that `by` can undo, newest first: of `visit` by any staff, else their own.

    At most `MOST_SHOWN`. Without a recent move, one query.
    """
    events = AppointmentEvent.objects.filter(kind=Kind.MOVED, at__gt=now - UNDO_FOR, by__isnull=False)
    events = events.filter(by=by) if visit is None else events.filter(appointment=visit)
    events = events.filter(version=F("appointment__version"))
    events = events.select_related("appointment__patient", "appointment__therapist", "appointment__service")
    clinic = Clinic.objects.current()
    found: list[UndoableMove] = []
    for event in events.order_by("-at", "-pk"):
        before = terms_before_move(event.appointment, by=by, now=now)
        if before is not None and len(found) < MOST_SHOWN:
            visit, until = event.appointment, clinic_time(event.at + UNDO_FOR, clinic)
            text, theirs = format_move(_by_clinics_clock(visit), before, clinic), _patients_time(visit, clinic)
            found.append(UndoableMove(visit, text, theirs, until, event.is_silent))
    return found


def _by_clinics_clock(visit: Appointment) -> Appointment:
    """Return an unsaved copy of the visit whose times are formatted in the clinic's zone."""
    other = copy(visit)
    other.visitor_time_zone = ""
    return other


def _patients_time(visit: Appointment, clinic: Clinic) -> str:
    clock = clock_of_visit(visit, clinic=clinic)
    if not clock.is_visitors or clock.beside(visit.starts_at) is None:
        return ""
    return clock.time(visit.starts_at).beside(clinic_time(visit.starts_at, clinic))
