"""Relevance checks of messages about visits, made just before sending.

The `why_…` functions return the reason not to send the message; None = send.
"""

from datetime import datetime

from booking.messages.last_told import CHANGED, current_terms, known_terms, may_believe_otherwise, told_version
from booking.models import Appointment
from booking.models.visit_states import Outcome
from booking.schedule.rules import is_asked_to_move
from clinic.outbox.messages.kinds import find_kind
from clinic.outbox.models import Message

ASKED = "the patient was asked to choose another time"
CONFIRMED = "the patient has said that they will be there"
KEPT = "the visit can stay at its time, or has left it"
KNOWN = "the patient knows this already"
NOT_ATTENDED = "the visit is not marked as attended"
NOT_CANCELLED = "the visit is not canceled"


def why_unwanted(message: Message, now: datetime) -> str | None:
    """Check a message about a visit, which has to be booked and upcoming."""
    return _why_not_ahead(_find_visit(message), message, now)


def why_request_unwanted(message: Message, now: datetime) -> str | None:
    """Check a request to choose another time, which is unwanted once the present time can be kept."""
    visit = _find_visit(message)
    if visit is not None and not is_asked_to_move(visit):
        return KEPT
    return _why_not_ahead(visit, message, now)


def why_move_unwanted(message: Message, now: datetime) -> str | None:
    """Check a message about a move.

    It is unwanted if a message about an earlier version had the current terms, and no message with other terms may have
    been received since.
    """
    visit = _find_visit(message)
    reason = _why_not_ahead(visit, message, now)
    if visit is not None and reason is None and _is_known(visit, before=message.version):
        return KNOWN
    return reason


def _is_known(visit: Appointment, *, before: int) -> bool:
    if told_version(visit, before=before) is None or may_believe_otherwise(visit, before=before):
        return False
    return known_terms(visit, before=before) == current_terms(visit)


def why_cancellation_unwanted(message: Message, now: datetime) -> str | None:
    """Check a message about a cancellation."""
    is_cancelled = Appointment.objects.filter(
        pk=message.subject_id, status=Appointment.Status.CANCELLED, version=message.version
    ).exists()
    return None if is_cancelled else NOT_CANCELLED


def why_clinic_news_unwanted(message: Message, now: datetime) -> str | None:
    """Check a message about the clinic's new details. It remains relevant if the visit is moved.

    Its version is a SEQUENCE, so it is not compared with the visit's version.
    """
    visit = _find_visit(message)
    return _why_not_ahead(visit, message, now, version=visit.version if visit else 0)


def why_confirming_unwanted(message: Message, now: datetime) -> str | None:
    """Check a request to confirm the visit, which is unwanted once the visit is confirmed."""
    visit = _find_visit(message)
    if visit is not None and visit.confirmed_at:
        return CONFIRMED
    return _why_not_ahead(visit, message, now)


def has_questions(visit: Appointment, now: datetime) -> bool:
    """Whether the visit has questions, answered or not."""
    return visit.intake_id is not None


def why_questions_unwanted(message: Message, now: datetime) -> str | None:
    """Check a reminder about open questions."""
    visit = _find_visit(message)
    if visit is not None and (visit.intake is None or visit.intake.progress == "done"):
        return "the questions are answered"
    return _why_not_ahead(visit, message, now)


def why_follow_up_unwanted(message: Message, now: datetime) -> str | None:
    """Check the message after a visit. The patient must be marked as arrived."""
    visit = _find_visit(message)
    if visit is None:
        return "the visit is gone"
    if visit.version != message.version:
        return CHANGED
    return None if visit.outcome_at(now) == Outcome.CAME else NOT_ATTENDED


def _find_visit(message: Message) -> Appointment | None:
    return Appointment.objects.select_related("intake", "therapist").filter(pk=message.subject_id).first()


def _why_not_ahead(
    visit: Appointment | None, message: Message, now: datetime, *, version: int | None = None
) -> str | None:
    """Return the reason not to send a message about an upcoming visit; None = send.

    `version` is the version that the visit must have, by default the message's own.
    """
    if visit is None:
        return "the visit is gone"
    if visit.status != Appointment.Status.BOOKED:
        return f"the visit is {visit.get_status_display()}"
    if visit.version != (message.version if version is None else version):
        return CHANGED
    if visit.starts_at <= now:
        return "the visit has begun"
    if find_kind(message.kind).is_reminder and is_asked_to_move(visit):
        return ASKED
    if visit.not_coming_at:
        return "the patient has said that they cannot come"
    return "the patient has arrived" if visit.outcome_at(now) == Outcome.CAME else None
