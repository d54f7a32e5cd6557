"""What a patient was last told of a visit, and what has changed since. Changes made before a mail left are one change."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, QuerySet

from booking.messages.names import BOOKED, CLINIC_NEWS, MOVED
from booking.models import MODES, Appointment, AppointmentEvent, VisitMode
from clinic.outbox.models import Channel, Message, State
from clinic.outbox.text.time_limits import LEASE
from clinic.practice.models import Therapist

Kind = AppointmentEvent.Kind
CHANGED = "the visit was changed"  # why a message of an earlier version is not sent


@dataclass(frozen=True)
class Terms:
    """When a visit starts, with whom, and how."""

    starts_at: datetime
    therapist: Therapist
    mode: VisitMode


def current_terms(appointment: Appointment) -> Terms:
    """The terms of the visit as it is."""
    return Terms(appointment.starts_at, appointment.therapist, appointment.visit_mode)


def terms_at(appointment: Appointment, version: int) -> Terms | None:
    """The terms of the visit at `version`; None if its history does not reach back that far."""
    events = appointment.events.filter(version__lte=version).select_related("therapist")
    event = events.order_by("version", "id").last()
    if event is None or event.therapist is None:
        return None
    return Terms(event.starts_at, event.therapist, MODES[event.mode])


def told_version(appointment: Appointment, *, before: int | None = None) -> int | None:
    """The newest version of which a message went to the patient's present mailbox; None if none did.

    `before` leaves out messages of that version and later ones.
    """
    sent = _messages(appointment, before=before).filter(state=State.SENT)
    return sent.order_by("version").values_list("version", flat=True).last()


def known_terms(appointment: Appointment, *, before: int | None = None) -> Terms | None:
    """The terms that the patient knows: those last told (`before` as in `told_version`), else those that were booked."""
    told = told_version(appointment, before=before)
    return terms_at(appointment, _first_version(appointment) if told is None else told)


def may_believe_otherwise(appointment: Appointment, *, before: int | None = None) -> bool:
    """Whether a message with terms other than the present ones may have reached the patient after the last one that did.

    It is on its way, or a worker took it and it is unknown how far it came: a mail server may have accepted it before the
    worker died. `before` as in `told_version`.
    """
    dropped = Q(state=State.SKIPPED, reason=CHANGED, attempts=1, settled_at__lt=F("first_tried_at") + LEASE)
    begun = _messages(appointment, before=before).filter(first_tried_at__isnull=False)
    begun = begun.exclude(state=State.SENT).exclude(dropped)  # by the first worker that had it, before it left
    begun = begun.filter(version__gt=told_version(appointment, before=before) or 0)
    versions = set(begun.values_list("version", flat=True))
    return any(terms_at(appointment, version) != current_terms(appointment) for version in versions)


def news_of(appointment: Appointment) -> str | None:
    """Which kind of message the visit as it is calls for: BOOKED, MOVED, or None if the patient knows it already.

    MOVED where the patient `may_believe_otherwise`: it waits, and what has been told by then is looked at again.
    """
    is_as_known = known_terms(appointment) == current_terms(appointment)
    if not is_as_known or may_believe_otherwise(appointment):
        return MOVED
    return BOOKED if told_version(appointment) is None else None


def moves_untold(appointment: Appointment) -> list[AppointmentEvent]:
    """The moves of which the patient was not told, oldest first."""
    moves = appointment.events.filter(kind=Kind.MOVED, version__gt=told_version(appointment) or 0)
    return list(moves.order_by("version"))


def _messages(appointment: Appointment, *, before: int | None) -> QuerySet[Message]:
    """The messages to the patient's present mailbox or phone whose version is the visit's."""
    messages = Message.objects.filter(subject_id=appointment.pk, patient__isnull=False)
    messages = messages.exclude(kind__in=CLINIC_NEWS)
    messages = messages.filter(version__gte=_first_version(appointment))
    return messages if before is None else messages.filter(version__lt=before)


def _first_version(appointment: Appointment) -> int:
    """Since when the patient is written to at the present address: each new address has the visit confirmed anew."""
    booked = Message.objects.filter(subject_id=appointment.pk, kind=BOOKED, channel=Channel.EMAIL)
    return booked.order_by("version").values_list("version", flat=True).last() or 1
