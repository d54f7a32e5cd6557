"""Book visits: lock the schedule, check the rules, write the visit and plan its messages, in one transaction."""

import uuid
from collections.abc import Collection
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
from booking.schedule.errors import NotOfferedBecause, PhoneOfAnother, TermsChanged
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
    """Contact details as typed.

    `phone` is E.164. `time_zone` is an IANA name, empty for the clinic's. `text_consent` is the consent text that was
    agreed to, else empty. `uses_first_name` is whether messages may contain the first name; None if not asked.
    `guardian_name` is the parent or guardian who books for a patient under 18. Without `replaces_phone`, a phone number
    on file stays, and a different `phone` is for this visit only.

    `patient` is the patient proven by a mailed link or chosen by staff. A booking may update their phone number and
    time zone. If `patient` is None, a booking by staff finds or registers a known patient. A visitor's name and address
    are unproven, so a visitor's visit belongs to a provisional patient.
    """

    name: str
    email: str
    phone: str
    time_zone: str = ""
    text_consent: str = ""
    uses_first_name: bool | None = None
    guardian_name: str = ""
    replaces_phone: bool = True
    patient: Patient | None = None


@dataclass(frozen=True, kw_only=True)
class BookingRequest:
    """A request to book a visit, from a form or a taken slot offer.

    Requests with the same `idempotency_key` book one visit. `hold_token` identifies the browser's own hold of `slot`,
    which becomes the visit. `screen` holds the visitor's answers to the safety questions, which become part of the
    visit's intake. `terms_seen` is the `fingerprint` of the length and terms that the form showed; empty: no check.
    `despite_rules` are the rules that staff were shown and override; if one of them is broken, the visit is accepted
    outside the schedule. `waived` are rules that do not apply because staff offered the time.
    """

    slot: Slot
    mode: str
    contact: Contact
    idempotency_key: uuid.UUID
    hold_token: str = ""
    source_article: Article | None = None
    screen: Screen | None = None
    terms_seen: str = ""
    despite_rules: Collection[NotOfferedBecause] = ()
    waived: Collection[NotOfferedBecause] = ()


def book_appointment(*, booking: BookingRequest, now: datetime, by: User | None = None) -> Appointment:
    """Book a visit and plan its messages. Idempotent by key. `by` is None for the patient.

    Length, buffers, price and late fee come from the hold if there is one, else from the service.

    Raises SlotTaken, SlotNotOffered, TermsChanged, NeedsEarlierVisit (a follow-up, unless staff book it),
    PhoneOfAnother or BusyTryAgain, in which case nothing was written. Only bookings by staff and by a proven patient
    are refused because of another visit of the patient at that time: for a visitor, the refusal would reveal that
    visit. Raises ValueError for `despite_rules` without `by`.
    """
    if booking.despite_rules and by is None:
        raise ValueError("Only staff may break a rule.")
    # Every hold counts as the patient's own here. Under the lock, `_own_hold` finds out which one is.
    own = Q(idempotency_key=booking.idempotency_key) | Q(status=Appointment.Status.HELD)
    check_first = partial(require_untaken, slot=booking.slot, own=own, now=now)
    try:
        with locked_schedules([booking.slot.therapist.pk], check_first=check_first):
            return book_in_locked_schedule(booking=booking, now=now, by=by)
    except IntegrityError as error:
        return _booked_by_same_form(booking.idempotency_key, error)


def book_in_locked_schedule(*, booking: BookingRequest, now: datetime, by: User | None = None) -> Appointment:
    """Book like `book_appointment`, for a caller that has locked the therapist's schedule."""
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
        release_hold(earlier)  # the form for the held time was submitted for another time
    proven = _proven_patient(contact, by=by, now=now)
    overridden = _require_bookable(booking, held, patient=proven, clinic=clinic, by=by, now=now)
    drop_expired_holds(therapist=slot.therapist, now=now)
    appointment = _write_booking(booking, held, proven or _provisional_patient(contact, now=now), now=now)
    if overridden:
        accept_reasons(appointment, now=now)
    _note_consent(appointment, contact.text_consent, now)
    _note_first_name(appointment, contact, now)
    record_event(appointment, AppointmentEvent.Kind.BOOKED, Action.CREATE, by=by, now=now)
    plan_visit_messages(appointment, clinic=clinic, now=now)
    return appointment


def _booked_by_same_form(idempotency_key: uuid.UUID, error: IntegrityError) -> Appointment:
    """Return the visit that the same form booked with another therapist at the same moment.

    The two requests lock different schedules, so the unique key decides. Raises `error` if it has another cause.
    """
    twin = Appointment.objects.filter(idempotency_key=idempotency_key).first()
    if twin is None or not isinstance(error.__cause__, errors.UniqueViolation):
        raise error
    return twin


def _require_bookable(
    booking: BookingRequest,
    held: Appointment | None,
    *,
    patient: Patient | None,
    clinic: Clinic,
    by: User | None,
    now: datetime,
) -> list[NotOfferedBecause]:
    """Check the booking rules, and return those that staff override.

    A live hold is checked as of the time it was placed. Since then, the start may have come within the minimum notice.
    """
    return require_free(
        slot=booking.slot,
        mode=booking.mode,
        now=held.created_at if held and is_live(held, now=now) else now,
        clinic=clinic,
        in_place_of=held,
        patient=patient,
        by_staff=by is not None,
        despite_rules=booking.despite_rules,
        waived=booking.waived,
    )


def _note_consent(appointment: Appointment, wording: str, now: datetime) -> None:
    """Record the consent to texts, unless one is recorded already or the number on file cannot be texted.

    A consent given with a number that differs from the one on file is ignored, because texts are sent only to the
    number on file.
    """
    patient = appointment.booked_patient
    is_texted = wording and not appointment.other_phone and texting_number(patient.phone)
    if is_texted and consent_of(patient) is None:
        give_consent(patient=patient, wording=wording, instead_of_email=False, now=now)


def _note_first_name(appointment: Appointment, contact: Contact, now: datetime) -> None:
    """Record the choice about the first name. An unchecked box opts out only if `contact.patient` is set.

    A visitor's form may have been submitted by a stranger.
    """
    if contact.uses_first_name or (contact.uses_first_name is False and contact.patient is not None):
        use_first_name(appointment.booked_patient, is_wanted=contact.uses_first_name, now=now)


def _own_hold(by_key: Appointment | None, booking: BookingRequest) -> Appointment | None:
    """Find the visitor's own hold of this slot, live or expired, by the token, else by the form's key."""
    slot, token = booking.slot, booking.hold_token
    held = find_hold(token=token, slot=slot) if token else by_key
    is_own = held is not None and held.status == Appointment.Status.HELD and slot.is_of(held)
    return held if is_own else None


def _proven_patient(contact: Contact, *, by: User | None, now: datetime) -> Patient | None:
    """Lock and return the patient proven by a mailed link, or chosen or entered by staff; None for a visitor.

    Updates the phone number and time zone on file. Raises PhoneOfAnother.
    """
    if contact.patient is None and by is None:
        return None
    if contact.patient is None:
        patient = find_or_register_patient(**_typed(contact), may_update=contact.replaces_phone, now=now)
    else:
        patient = contact.patient
        try:
            may_replace = contact.replaces_phone
            update_contact(patient, phone=contact.phone, time_zone=contact.time_zone, may_replace=may_replace, now=now)
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
    """Insert the visit, or turn the held row into the visit and keep its terms. Begins the visit's intake.

    The row is written once, and the exclusion constraint checks that write.
    """
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
    """Return an unsaved row with the current length, buffers, price and late fee of the service."""
    shape = slot.service.shape
    blocked = shape.blocked(slot.starts_at)
    return Appointment(
        reference=free_reference(),
        ends_at=shape.visit(slot.starts_at).end,
        blocked=DateTimeTZRange(blocked.start, blocked.end),
        **slot.service.terms,
    )
