"""Booking visits: refuse, lock, write and plan the messages, in one transaction."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import IntegrityError
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q
from psycopg import errors

from assessments.intake.screening import Screen, begin_intake
from booking.actions.hold import drop_expired_holds, find_hold, is_live, release_hold
from booking.messages.planning import plan_visit_messages
from booking.models import Appointment, AppointmentEvent
from booking.schedule.earlier_visits import require_earlier_visit
from booking.schedule.errors import PhoneOfAnother, TermsChanged
from booking.schedule.history import record_event
from booking.schedule.locking import locked_schedules
from booking.schedule.off_schedule import accept_reasons
from booking.schedule.references import free_reference
from booking.schedule.rules import lock_patient, require_free, require_untaken
from booking.schedule.slots import Slot
from clinic.audit.models import Action
from clinic.outbox.texts.texting import consent_of, give_consent
from clinic.practice.models import Clinic, Patient, User
from clinic.practice.people.first_names import use_first_name
from clinic.practice.people.patients import (
    NamesakeHasPhone,
    find_or_register_patient,
    find_or_register_provisional,
    update_contact,
)
from clinic.practice.values.phone import texting_number
from education.models import Article


@dataclass(frozen=True)
class Contact:
    """Who books, as they typed it.

    `phone` is E.164, `time_zone` an IANA name or empty for the clinic's. `text_consent` is in which words they agreed to
    texts, if they did. `uses_first_name` is whether messages may hold their first name; None where that was not asked.
    `guardian_name` is the parent or guardian who books for a patient under 18. `patient` is who came by a link from their
    own mailbox, or whom staff have chosen, so that a new phone number is theirs to give; without one, a visitor's name and
    address are not proven and the visit belongs to a provisional patient.
    """

    name: str
    email: str
    phone: str
    time_zone: str = ""
    text_consent: str = ""
    uses_first_name: bool | None = None
    guardian_name: str = ""
    patient: Patient | None = None


@dataclass(frozen=True, kw_only=True)
class BookingRequest:
    """What is to be booked, as a form or a taken offer asks for it.

    `idempotency_key` is the form's: the same key books once. `hold_token` is of the patient's own hold, which becomes the
    visit. `screen` is what the visitor answered before, which goes into the visit's intake. `terms_seen` is the fingerprint
    of the length and price that the form showed. `despite_rules` is for staff who have seen which rules they break; the
    visit then counts as accepted outside the schedule.
    """

    slot: Slot
    mode: str
    contact: Contact
    idempotency_key: uuid.UUID
    hold_token: str = ""
    source_article: Article | None = None
    screen: Screen | None = None
    terms_seen: str = ""
    despite_rules: bool = False


def book_appointment(*, booking: BookingRequest, now: datetime, by: User | None = None) -> Appointment:
    """Book a visit and plan its messages. The same key books once and returns the same visit. `by` is None for the patient.

    What was held is what is booked: length, price and late fee are the hold's, else those of the service now.
    Raises SlotTaken, SlotNotOffered, TermsChanged, NeedsEarlierVisit (a follow-up, unless staff book it), PhoneOfAnother or
    BusyTryAgain; then nothing was written. A visit of the patient's own at that time is a reason of SlotNotOffered only for
    staff and for a `contact` with a proven patient: to others it would tell of it.
    """
    if booking.despite_rules and by is None:
        raise ValueError("Only staff may break a rule.")
    # Of holds, only the full look can tell whether one is the patient's own.
    own = Q(idempotency_key=booking.idempotency_key) | Q(status=Appointment.Status.HELD)
    look_first = partial(require_untaken, slot=booking.slot, own=own, now=now)
    try:
        with locked_schedules([booking.slot.therapist.pk], look_first=look_first):
            return book_in_locked_schedule(booking=booking, now=now, by=by)
    except IntegrityError as error:
        return _twin(booking.idempotency_key, error)


def book_in_locked_schedule(*, booking: BookingRequest, now: datetime, by: User | None = None) -> Appointment:
    """`book_appointment` for a caller that has locked the therapist's schedule."""
    slot, contact = booking.slot, booking.contact
    earlier = Appointment.objects.filter(idempotency_key=booking.idempotency_key).first()
    if earlier and earlier.status != Appointment.Status.HELD:
        return earlier
    if by is None:
        require_earlier_visit(service=slot.service, patient=contact.patient, starts_at=slot.starts_at)
    clinic = Clinic.objects.current()
    held = _own_hold(earlier, booking)
    if booking.terms_seen and booking.terms_seen != (held or slot.service).fingerprint:
        raise TermsChanged(held or slot.service)
    if earlier and earlier != held:
        release_hold(earlier)  # the form of a held time, sent for another one
    proven = _proven_patient(contact, by=by, now=now)
    _require_bookable(booking, held, patient=proven, clinic=clinic, now=now)
    drop_expired_holds(therapist=slot.therapist, now=now)
    appointment = _write_booking(booking, held, proven or _provisional_patient(contact, now=now), now=now)
    if booking.despite_rules:
        accept_reasons(appointment, now=now)
    _note_consent(appointment, contact.text_consent, now)
    _note_first_name(appointment, contact, now)
    record_event(appointment, AppointmentEvent.Kind.BOOKED, Action.CREATE, by=by, now=now)
    plan_visit_messages(appointment, clinic=clinic, now=now)
    return appointment


def _twin(idempotency_key: uuid.UUID, error: IntegrityError) -> Appointment:
    """One form sent at once for two therapists: each waited for another diary, and the key's own constraint decided.
    Any other error goes on."""
    twin = Appointment.objects.filter(idempotency_key=idempotency_key).first()
    if twin is None or not isinstance(error.__cause__, errors.UniqueViolation):
        raise error
    return twin


def _require_bookable(
    booking: BookingRequest, held: Appointment | None, *, patient: Patient | None, clinic: Clinic, now: datetime
) -> None:
    """Check the booking rules. A live hold is checked as of the time it was placed: the notice may have run out since."""
    require_free(
        slot=booking.slot,
        mode=booking.mode,
        now=held.created_at if held and is_live(held, now=now) else now,
        clinic=clinic,
        in_place_of=held,
        patient=patient,
        despite_rules=booking.despite_rules,
    )


def _note_consent(appointment: Appointment, wording: str, now: datetime) -> None:
    """Texts go to the number that we have on file: who typed another one has not agreed to texts there."""
    is_texted = wording and not appointment.other_phone and texting_number(appointment.patient.phone)
    if is_texted and consent_of(appointment.patient) is None:
        give_consent(patient=appointment.patient, wording=wording, instead_of_email=False, now=now)


def _note_first_name(appointment: Appointment, contact: Contact, now: datetime) -> None:
    """Only who came by a link from their mailbox can withdraw it: an empty box may be a stranger's."""
    if contact.uses_first_name or (contact.uses_first_name is False and contact.patient is not None):
        use_first_name(appointment.patient, is_wanted=contact.uses_first_name, now=now)


def _own_hold(by_key: Appointment | None, booking: BookingRequest) -> Appointment | None:
    """The patient's own hold of this slot, expired or not: the one with the form's key, or the token's."""
    slot, token = booking.slot, booking.hold_token
    held = find_hold(token=token, slot=slot) if token else by_key
    is_own = held is not None and held.status == Appointment.Status.HELD and slot.is_of(held)
    return held if is_own else None


def _proven_patient(contact: Contact, *, by: User | None, now: datetime) -> Patient | None:
    """The patient a mailed link vouches for, or the one staff mean, locked; None for a visitor who typed a name."""
    if contact.patient is None and by is None:
        return None
    if contact.patient is None:
        patient = find_or_register_patient(**_typed(contact), may_update=True, now=now)
    else:
        patient = contact.patient
        try:
            update_contact(patient, phone=contact.phone, time_zone=contact.time_zone, now=now)
        except NamesakeHasPhone:
            raise PhoneOfAnother from None
    lock_patient(patient.pk)
    return patient


def _provisional_patient(contact: Contact, *, now: datetime) -> Patient:
    return find_or_register_provisional(**_typed(contact), now=now)


def _typed(contact: Contact) -> dict:
    return {"name": contact.name, "email": contact.email, "phone": contact.phone, "time_zone": contact.time_zone}


def _write_booking(
    booking: BookingRequest, held: Appointment | None, patient: Patient, *, now: datetime
) -> Appointment:
    """A new row, or the held one turned into a visit with the length and price it was held for: either way one write that
    the constraint looks at."""
    slot, contact = booking.slot, booking.contact
    appointment = held or _offered_today(slot)
    appointment.service, appointment.therapist, appointment.starts_at = slot.service, slot.therapist, slot.starts_at
    appointment.patient, appointment.mode = patient, booking.mode
    appointment.idempotency_key, appointment.source_article = booking.idempotency_key, booking.source_article
    appointment.other_phone = contact.phone if contact.phone != patient.phone else ""
    appointment.visitor_time_zone, appointment.guardian_name = contact.time_zone, contact.guardian_name
    appointment.status, appointment.hold_expires_at = Appointment.Status.BOOKED, None
    appointment.created_at = now
    appointment.intake = begin_intake(
        questionnaire_slug=slot.service.intake_slug, patient=patient, screen=booking.screen, now=now
    )
    appointment.save()
    return appointment


def _offered_today(slot: Slot) -> Appointment:
    """A new row, not saved, with the length, buffers, price and late fee of the service as it is."""
    shape = slot.service.shape
    blocked = shape.blocked(slot.starts_at)
    return Appointment(
        reference=free_reference(),
        ends_at=shape.visit(slot.starts_at).end,
        blocked=DateTimeTZRange(blocked.start, blocked.end),
        **slot.service.terms,
    )
