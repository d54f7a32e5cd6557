"""Choose not to tell the patient of a move that staff have just made, such as by a drop on the calendar."""

from datetime import datetime

from booking.actions.change import last_move
from booking.messages.last_told import news_of, reopen_links
from booking.messages.planning import withdraw_news_of_move
from booking.models import Appointment
from booking.models.visit_states import UNDO_FOR
from booking.schedule.errors import TooLateToUndo
from booking.schedule.history import lock_appointment, require_version
from booking.schedule.locking import row_locks
from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.practice.models import User


@row_locks()
def silence_move(*, appointment: Appointment, version: int | str | None = None, by: User, now: datetime) -> Appointment:
    """Withdraw the message about staff's last move, as if it had been made without `notify`. Idempotent.

    Possible while the move can be undone, when no message about it has been sent. Raises VisitChanged, TooLateToUndo
    or BusyTryAgain.
    """
    appointment = lock_appointment(appointment)
    require_version(appointment, version)
    move = last_move(appointment, by=by)
    if move is None or appointment.status != Appointment.Status.BOOKED or now >= move.at + UNDO_FOR:
        raise TooLateToUndo
    if not move.is_silent:
        move.is_silent = True
        move.save(update_fields=["is_silent"])
        withdraw_news_of_move(appointment, due_at=move.at + UNDO_FOR, now=now)
        if news_of(appointment) is None:
            reopen_links(appointment)
        record_access(actor=by, action=Action.UPDATE, subject=appointment, patient_id=appointment.patient_id, now=now)
    return appointment
