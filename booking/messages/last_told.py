"""The terms of a visit that the patient was last notified of, and what has changed since.

Changes made before an email is sent are announced together.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, QuerySet

from booking.messages.names import BOOKED, CLINIC_NEWS, MOVED
from booking.models import MODES, Appointment, AppointmentEvent, VisitMode
from clinic.outbox.models import Channel, Message, State
from clinic.outbox.text.time_limits import LEASE
from clinic.practice.access.links import restore_links
from clinic.practice.models import LinkPurpose, Therapist

Kind = AppointmentEvent.Kind
CHANGED = "the visit was changed"  # the reason for skipping a message of an earlier version


@dataclass(frozen=True)
class VisitTerms:
    """The start, therapist, mode and length of a visit."""

    starts_at: datetime
    therapist: Therapist
    mode: VisitMode
    minutes: int


def current_terms(appointment: Appointment) -> VisitTerms:
    """Return the current terms of the visit."""
    return VisitTerms(appointment.starts_at, appointment.therapist, appointment.visit_mode, appointment.minutes)


def terms_at(appointment: Appointment, version: int) -> VisitTerms | None:
    """Return the terms of the visit at `version`, from its history; None if the history starts later."""
    events = appointment.events.filter(version__lte=version).select_related("therapist")
    event = events.order_by("version", "id").last()
    if event is None or event.therapist is None:
        return None
    return VisitTerms(event.starts_at, event.therapist, MODES[event.mode], event.minutes or appointment.minutes)


def told_version(appointment: Appointment, *, before: int | None = None) -> int | None:
    """Return the latest version in a message sent to the patient's current address or phone; None if none was sent.

    With `before`, only messages about versions before it count.
    """
    sent = _messages(appointment, before=before).filter(state=State.SENT)
    return sent.order_by("version").values_list("version", flat=True).last()


def known_terms(appointment: Appointment, *, before: int | None = None) -> VisitTerms | None:
    """Return the terms at `told_version`, or at `_first_version` if no message was sent.

    None if the history does not contain them. `before` is as in `told_version`.
    """
    told = told_version(appointment, before=before)
    return terms_at(appointment, _first_version(appointment) if told is None else told)


def may_believe_otherwise(appointment: Appointment, *, before: int | None = None) -> bool:
    """Whether a message about a version after `told_version`, with terms other than the current, may have arrived.

    Sending of such a message was tried, but is not recorded as done: it is still being sent, or its worker died and the
    mail server may have accepted it. `before` is as in `told_version`.
    """
    dropped = Q(state=State.SKIPPED, reason=CHANGED, attempts=1, settled_at__lt=F("first_tried_at") + LEASE)
    begun = _messages(appointment, before=before).filter(first_tried_at__isnull=False)
    begun = begun.exclude(state=State.SENT).exclude(dropped)  # skipped within the first lease, so not sent
    begun = begun.filter(version__gt=told_version(appointment, before=before) or 0)
    versions = set(begun.values_list("version", flat=True))
    return any(terms_at(appointment, version) != current_terms(appointment) for version in versions)


def news_of(appointment: Appointment) -> str | None:
    """Return the kind of message to plan: MOVED, BOOKED, or None if the patient knows the current terms.

    MOVED if the patient knows other terms or `may_believe_otherwise`, unless staff moved the visit without telling the
    patient; BOOKED if no message was sent yet. A MOVED message is sent later, and its relevance is checked again then.
    """
    is_as_known, may_differ = known_terms(appointment) == current_terms(appointment), may_believe_otherwise(appointment)
    if (not is_as_known or may_differ) and not was_moved_silently(appointment):
        return MOVED
    return BOOKED if told_version(appointment) is None and not may_differ else None


def was_moved_silently(appointment: Appointment) -> bool:
    """Whether staff chose not to tell the patient of the last move, and no message has shown the new terms since."""
    moves = unannounced_moves(appointment)
    return bool(moves) and moves[-1].is_silent and known_terms(appointment) != current_terms(appointment)


def has_older_calendar(appointment: Appointment, *, calendars: Iterable[str], before: int) -> bool:
    """Whether the patient's calendar has other terms than the current ones.

    `calendars` are the kinds of email with a calendar entry. Only emails about versions before `before` count.
    """
    sent = _messages(appointment, before=before).filter(state=State.SENT, channel=Channel.EMAIL, kind__in=calendars)
    version = sent.order_by("version").values_list("version", flat=True).last()
    return version is not None and terms_at(appointment, version) != current_terms(appointment)


def unannounced_moves(appointment: Appointment) -> list[AppointmentEvent]:
    """Return the moves that the patient was not notified of, oldest first."""
    moves = appointment.events.filter(kind=Kind.MOVED, version__gt=told_version(appointment) or 0)
    return list(moves.order_by("version"))


def _messages(appointment: Appointment, *, before: int | None) -> QuerySet[Message]:
    """Return the messages about the visit to the patient's current address or phone, without news about the clinic.

    With `before`, only those about versions before it.
    """
    messages = Message.objects.filter(subject_id=appointment.pk, patient__isnull=False)
    messages = messages.exclude(kind__in=CLINIC_NEWS)
    messages = messages.filter(version__gte=_first_version(appointment))
    return messages if before is None else messages.filter(version__lt=before)


def _first_version(appointment: Appointment) -> int:
    """Return the version in the latest confirmation by email, or 1 if there is none.

    Each new address gets a confirmation, so messages about earlier versions went to another address.
    """
    booked = Message.objects.filter(subject_id=appointment.pk, kind=BOOKED, channel=Channel.EMAIL)
    return booked.order_by("version").values_list("version", flat=True).last() or 1


def reopen_links(appointment: Appointment) -> None:
    """Restore the links that the patient already has.

    After a move back to terms that they know, and after one that they are not told of, no email with a new link is
    sent.
    """
    for move in unannounced_moves(appointment):
        restore_links(subject_id=appointment.pk, purposes=[LinkPurpose.VISIT], revoked_at=move.at)
