"""Booking visits: refuse, lock, write and plan the messages, in one transaction."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from django.db import IntegrityError
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q
from psycopg import errors

from assessments.intake.screening import Screen, begin_intake
from booking.actions.hold import drop_expired_holds, find_hold, is_live, release_hold
from booking.messages.planning import plan_visit_messages
from booking.models import Appointment, AppointmentEvent, Service
from booking.schedule.earlier_visits import require_earlier_visit
from booking.schedule.errors import PhoneOfAnother, TermsChanged
from booking.schedule.history import record_event
from booking.schedule.locking import locked_schedules
from booking.schedule.off_schedule import accept_reasons
from booking.schedule.references import free_reference
from booking.schedule.rules import lock_patient, require_free, require_untaken
from clinic.audit.models import Action
from clinic.outbox.texts.texting import consent_of, give_consent
from clinic.practice.models import Clinic, Patient, Therapist, User
from clinic.practice.people.first_names import use_first_name
from clinic.practice.people.patients import (
    PhoneIsNamesakes,
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


def book_appointment(
    *,
    service: Service,
    therapist: Therapist,
    starts_at: datetime,
    mode: str,
    contact: Contact,
    idempotency_key: uuid.UUID,
    hold_token: str = "",
    source_article: Article | None = None,
    screen: Screen | None = None,
    terms_seen: str = "",
    despite_rules: bool = False,
    now: datetime,
    by: User | None = None,
) -> Appointment:
    """Book a visit at `starts_at` and plan its messages. The same key books once and returns the same visit.

    `by` is who of the staff, None for the patient; `hold_token` is of the patient's own hold, which becomes the visit;
    `screen` is what the visitor answered before, which goes into the visit's intake; `terms_seen` is the fingerprint of the
    length and price that the form showed; `despite_rules` is for staff who have seen which they break; the visit then counts
    as accepted outside the schedule.
    What was held is what is booked: length, price and late fee are the hold's, else those of the service now.
    Raises SlotTaken, SlotNotOffered, TermsChanged, NeedsEarlierVisit (a follow-up, unless staff book it), PhoneOfAnother or
    BusyTryAgain; then nothing was written. A visit of the patient's own at that time is a reason of SlotNotOffered only for staff and for a
    `contact` with a proven patient: to others it would tell of it.
    """
    if despite_rules and by is None:
        raise ValueError("Only staff may break a rule.")
    place = {"service": service, "therapist": therapist, "starts_at": starts_at.astimezone(UTC)}
    # Of holds, only the full look can tell whether one is the patient's own.
    own = Q(idempotency_key=idempotency_key) | Q(status=Appointment.Status.HELD)
    form = {"idempotency_key": idempotency_key, "hold_token": hold_token, "source_article": source_article}
    form["terms_seen"] = terms_seen
    told = {"mode": mode, "contact": contact, "screen": screen, "despite_rules": despite_rules, "by": by, "now": now}
    look_first = partial(require_untaken, therapist=therapist, starts_at=place["starts_at"], own=own, now=now)
    try:
        with locked_schedules([therapist.pk], look_first=look_first):
            return book_in_locked_schedule(**place, **form, **told)
    except IntegrityError as error:
        return _twin(idempotency_key, error)


def book_in_locked_schedule(
    *,
    service: Service,
    therapist: Therapist,
    starts_at: datetime,
    mode: str,
    contact: Contact,
    idempotency_key: uuid.UUID,
    hold_token: str = "",
    source_article: Article | None = None,
    screen: Screen | None = None,
    terms_seen: str = "",
    despite_rules: bool = False,
    now: datetime,
    by: User | None = None,
) -> Appointment:
    """`book_appointment` for a caller that has locked the therapist's schedule; `starts_at` is in UTC."""
    place = {"service": service, "therapist": therapist, "starts_at": starts_at}
    earlier = Appointment.objects.filter(idempotency_key=idempotency_key).first()
    if earlier and earlier.status != Appointment.Status.HELD:
        return earlier
    if by is None:
        require_earlier_visit(service=service, patient=contact.patient, starts_at=starts_at)
    clinic = Clinic.objects.current()
    held = _own_hold(earlier, hold_token, **place)
    if terms_seen and terms_seen != (held or service).fingerprint:
        raise TermsChanged(held or service)
    if earlier and earlier != held:
        release_hold(earlier)  # the form of a held time, sent for another one
    proven = _proven_patient(contact, by=by, now=now)
    _let_in(held, **place, mode=mode, patient=proven, clinic=clinic, despite_rules=despite_rules, now=now)
    patient = proven or _provisional_patient(contact, now=now)
    origin = {"idempotency_key": idempotency_key, "source_article": source_article}
    appointment = _write_booking(held, patient, contact, screen, **place, mode=mode, **origin, now=now)
    if despite_rules:
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


def _let_in(held: Appointment | None, *, now: datetime, **place) -> None:
    """Refuse what may not be booked. Who holds a time was let in when they chose it: the notice may have run out while
    they typed."""
    asked_at = held.created_at if held and is_live(held, now=now) else now
    require_free(**place, now=asked_at, in_place_of=held)
    drop_expired_holds(therapist=place["therapist"], now=now)


def _note_consent(appointment: Appointment, wording: str, now: datetime) -> None:
    """Texts go to the number that we have on file: who typed another one has not agreed to texts there."""
    is_texted = wording and not appointment.other_phone and texting_number(appointment.patient.phone)
    if is_texted and consent_of(appointment.patient) is None:
        give_consent(patient=appointment.patient, wording=wording, instead_of_email=False, now=now)


def _note_first_name(appointment: Appointment, contact: Contact, now: datetime) -> None:
    """Only who came by a link from their mailbox can withdraw it: an empty box may be a stranger's."""
    if contact.uses_first_name or (contact.uses_first_name is False and contact.patient is not None):
        use_first_name(appointment.patient, is_wanted=contact.uses_first_name, now=now)


def _own_hold(
    by_key: Appointment | None, token: str, *, service: Service, therapist: Therapist, starts_at: datetime
) -> Appointment | None:
    """The patient's own hold of this time for this service, expired or not: the one with the form's key, or the token's."""
    held = find_hold(token=token, therapist=therapist, starts_at=starts_at) if token else by_key
    if held is None or held.status != Appointment.Status.HELD:
        return None
    here = (service.pk, therapist.pk, starts_at)
    return held if (held.service_id, held.therapist_id, held.starts_at) == here else None


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
        except PhoneIsNamesakes:
            raise PhoneOfAnother from None
    lock_patient(patient.pk)
    return patient


def _provisional_patient(contact: Contact, *, now: datetime) -> Patient:
    return find_or_register_provisional(**_typed(contact), now=now)


def _typed(contact: Contact) -> dict:
    return {"name": contact.name, "email": contact.email, "phone": contact.phone, "time_zone": contact.time_zone}


def _write_booking(
    held: Appointment | None,
    patient: Patient,
    contact: Contact,
    screen: Screen | None,
    *,
    service: Service,
    starts_at: datetime,
    now: datetime,
    **columns,
) -> Appointment:
    """A new row, or the held one turned into a visit with the length and price it was held for: either way one write that
    the constraint looks at."""
    row = {
        "service": service,
        "patient": patient,
        "other_phone": contact.phone if contact.phone != patient.phone else "",
        "visitor_time_zone": contact.time_zone,
        "guardian_name": contact.guardian_name,
        "starts_at": starts_at,
        "status": Appointment.Status.BOOKED,
        "hold_expires_at": None,
        "intake": begin_intake(questionnaire_slug=service.intake_slug, patient=patient, screen=screen, now=now),
        "created_at": now,
        **columns,
    }
    appointment = held or _offered_today(service, starts_at)
    for name, value in row.items():
        setattr(appointment, name, value)
    appointment.save()
    return appointment


def _offered_today(service: Service, starts_at: datetime) -> Appointment:
    """A new row, not saved, with the length, buffers, price and late fee of `service` as it is."""
    blocked = service.shape.blocked(starts_at)
    return Appointment(
        reference=free_reference(),
        ends_at=service.shape.visit(starts_at).end,
        blocked=DateTimeTZRange(blocked.start, blocked.end),
        **service.terms,
    )
