"""How patients learn of a change made by staff: by email, by text, or by a call."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from booking.messages.last_told import known_terms, news_of, was_moved_silently
from booking.messages.names import ASKED_TO_MOVE, BOOKED, CANCELLED, CLINIC_NEWS, MOVED
from booking.models import Appointment
from booking.models.appointment import AppointmentQuerySet
from booking.models.visit_states import UNDO_FOR
from booking.schedule.history import lock_appointment, require_version
from booking.schedule.local_time import clinic_time
from booking.schedule.locking import row_locks
from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.outbox.messages.kinds import find_kind
from clinic.outbox.messages.message_rules import rules_of
from clinic.outbox.messages.suppressions import suppressions_of, why_unreachable
from clinic.outbox.models import Channel, Message, State, TextConsent
from clinic.outbox.sending.refusals import NO_ADDRESS
from clinic.outbox.texts.providers import has_texts
from clinic.practice.models import Clinic, Patient, User
from clinic.practice.values.phone import format_phone

Status = Appointment.Status
MINUTES = f"{UNDO_FOR.seconds // 60} minutes"
WAIT, UNDO = f"in {MINUTES}", f"You can undo it for {MINUTES}."
BY = {Channel.EMAIL: "email", Channel.SMS: "text"}
AT_ONCE = (BOOKED, ASKED_TO_MOVE)  # the others wait until they cannot be undone
CALLED = "staff told the patient by phone"
UNDELIVERED = {"channel": Channel.EMAIL, "state": State.SKIPPED, "reason": NO_ADDRESS}


def describe_delivery(visit: Appointment, kind: str) -> str:
    """Return a sentence for staff that says how a message of `kind` reaches the patient, or which number to call."""
    return describe_deliveries([visit], kind)[visit.pk]


def describe_move_delivery(visit: Appointment) -> str:
    """Return the sentence of `describe_delivery` for a move.

    Another sentence if the patient knows the current time already, or is not told of it.
    """
    news = news_of(visit)
    if was_moved_silently(visit) and news is None:
        known = known_terms(visit)
        until_now = f" Until now they know {clinic_time(known.starts_at, Clinic.objects.current())}." if known else ""
        return f"The patient gets no message about this move.{until_now} Reminders will show the new time."
    return "The patient knows this time already." if news is None else describe_delivery(visit, news)


def describe_deliveries(visits: Sequence[Appointment], kind: str) -> dict[UUID, str]:
    """Return the sentence of `describe_delivery` for each visit, by its key.

    The number of queries is constant if the visits' patients and services are loaded with `select_related`.
    """
    clinic = Clinic.objects.current()
    channels = _channels(visits, kind)
    return {visit.pk: _sentence(visit, channels[visit.pk], kind, clinic) for visit in visits}


def reached_by(visits: Sequence[Appointment], kind: str) -> set[UUID]:
    """Return the keys of the `visits` whose patients a message of `kind` reaches. The number of queries is constant."""
    return {key for key, ways in _channels(visits, kind).items() if ways}


def count_to_call(visits: Sequence[Appointment], kind: str) -> int:
    """Return the number of `visits` whose patients cannot be reached by a message of `kind`."""
    return sum(not ways for ways in _channels(visits, kind).values())


def _sentence(visit: Appointment, channels: list[Channel], kind: str, clinic: Clinic) -> str:
    if visit.patient is None:
        return "No patient is told: it is a hold."
    if channels:
        ways = " and ".join(BY[channel] for channel in channels)
        return f"The patient is told by {ways}{'' if kind in AT_ONCE else f' {WAIT}'}."
    number = format_phone(visit.other_phone or visit.patient.phone, clinic.country)
    why = "No message can be sent to the patient" if visit.patient.email else "The patient has no email"
    return f"{why}: call {number}." if number else f"{why}, and no phone number is on file."


def _channels(visits: Sequence[Appointment], kind: str) -> dict[UUID, list[Channel]]:
    """Return the channels of a message of `kind` for each visit, by message rules, addresses and consents."""
    people = {visit.pk: visit.patient for visit in visits if visit.patient is not None}
    booked = [visit for visit in visits if visit.pk in people]
    mails, texts = ([_unsaved(visit, kind, channel) for visit in booked] for channel in (Channel.EMAIL, Channel.SMS))
    rules, suppressions = rules_of([*mails, *texts]), suppressions_of(mails)
    goes: dict[UUID, list[Channel]] = {visit.pk: [] for visit in visits}
    for visit, mail in zip(booked, mails, strict=True):
        stopped = why_unreachable(suppressions.get(mail.pk), Channel.EMAIL)
        if people[visit.pk].email and rules[mail.pk].is_active and not stopped:
            goes[visit.pk].append(Channel.EMAIL)
    agreed = _who_is_texted(people.values()) if has_texts() and find_kind(kind).text_message else set()
    for visit, text in zip(booked, texts, strict=True):
        if people[visit.pk].pk in agreed and rules[text.pk].is_active:
            goes[visit.pk].append(Channel.SMS)
    return goes


def _unsaved(visit: Appointment, kind: str, channel: Channel) -> Message:
    """Return an unsaved message, only for the checks of the outbox."""
    return Message(kind=kind, channel=channel, subject_id=visit.pk, scope=visit.service.slug, patient=visit.patient)


def _who_is_texted(patients: Iterable[Patient]) -> set[UUID]:
    numbers = {patient.pk: patient.phone for patient in patients}
    consents = TextConsent.objects.filter(patient__in=numbers, withdrawn_at=None)
    return {key for key, phone in consents.values_list("patient", "phone") if numbers[key] == phone}


def visits_to_call(*, now: datetime) -> AppointmentQuerySet:
    """Return upcoming visits whose patient staff must call about a change, soonest first.

    The email about the change was skipped because the patient has no address, no text about it was sent or is pending,
    and no call was noted. A move or news about the clinic counts only while the visit is booked and neither confirmed
    nor arrived; a cancellation counts while the visit is canceled.
    """
    texted = Message.objects.filter(
        subject_id=OuterRef("subject_id"), kind=OuterRef("kind"), version=OuterRef("version"), channel=Channel.SMS
    ).exclude(state__in=(State.SKIPPED, State.FAILED))
    unheard = Message.objects.filter(~Exists(texted), subject_id=OuterRef("pk"), **UNDELIVERED)
    is_now = unheard.filter(version=OuterRef("version"))
    is_open = Q(status=Status.BOOKED, confirmed_at=None, arrived_at=None)
    is_to_hear = is_open & Q(Exists(is_now.filter(kind=MOVED)))
    is_to_hear |= is_open & Q(Exists(unheard.filter(kind__in=CLINIC_NEWS)))
    is_to_hear |= Q(Exists(is_now.filter(kind=ASKED_TO_MOVE)), status=Status.BOOKED, arrived_at=None)
    is_to_hear |= Q(Exists(is_now.filter(kind=CANCELLED)), status=Status.CANCELLED)
    return Appointment.objects.filter(is_to_hear, starts_at__gt=now).order_by("starts_at")


@row_locks()
def note_called(*, appointment: Appointment, version: int | str | None = None, by: User, now: datetime) -> Appointment:
    """Mark the patient as called, which removes the visit from `visits_to_call`. Each mark is in the audit log.

    Raises VisitChanged, BusyTryAgain.
    """
    appointment = lock_appointment(appointment)
    require_version(appointment, version)
    Message.objects.filter(subject_id=appointment.pk, **UNDELIVERED).update(reason=CALLED)
    record_access(actor=by, action=Action.UPDATE, subject=appointment, patient_id=appointment.patient_id, now=now)
    return appointment
