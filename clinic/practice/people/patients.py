"""Match, register and merge patients, and change their contact details."""

from collections.abc import Callable
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.db.models import Value
from psycopg import errors

from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.practice.access.links import revoke_all_links
from clinic.practice.models import NameKey, Patient, User
from clinic.practice.people.merging import move_record
from clinic.practice.values.mail_addresses import normalize_address
from clinic.practice.values.names import normalize_name
from clinic.practice.values.zones import zone_names

ATTEMPTS_TO_REGISTER = 10


class NamesakeHasPhone(Exception):
    """Another patient without an email address has this name and this phone number, which identify them."""


_after_new_address: list[Callable[[Patient, datetime], None]] = []


def find_or_register_patient(
    *, name: str, email: str, phone: str, time_zone: str = "", may_update: bool = False, now: datetime
) -> Patient:
    """Return the known patient with this email address and name key, and register one if there is none.

    The identity of a row that staff merged into another one returns that other row. For staff, who know the person. For visitors, use `find_or_register_provisional`. Without an email address, name and
    phone number identify the patient. With neither, each call registers a new patient. `phone` is a result of
    `parse_phone`. A phone number and time zone replace those on file only with `may_update`; otherwise they only fill
    empty fields. Safe if two forms for one identity arrive at once: a unique constraint lets only one of them register.
    Raises NamesakeHasPhone like `update_contact`.
    """
    typed = {"name": name, "email": email, "phone": phone, "time_zone": time_zone}
    patient = (None if email else find_by_phone(name=name, phone=phone)) or _find_or_register(
        is_provisional=False, **typed, now=now
    )
    update_contact(patient, phone=phone, time_zone=time_zone, may_replace=may_update, now=now)
    return patient


def find_by_phone(*, name: str, phone: str) -> Patient | None:
    """Return the known patient with this name and phone number, preferably the one without an email address.

    Returns None if there is none, or if several match and all have an address.
    """
    if not phone:
        return None
    keyed = Patient.objects.current().known().filter(phone=phone, name_key=NameKey(Value(normalize_name(name))))
    found = list(keyed.order_by("email")[:2])
    is_clear = len(found) == 1 or (found and not found[0].email)
    return found[0] if is_clear else None


def is_same_name(one: str, other: str) -> bool:
    """Whether two names have the same key (`NameKey`). One query."""
    names = [normalize_name(one), normalize_name(other)]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {NameKey.function}(%s) = {NameKey.function}(%s)", names)
        return cursor.fetchone()[0]


@transaction.atomic
def find_or_register_provisional(*, name: str, email: str, phone: str, time_zone: str = "", now: datetime) -> Patient:
    """Return the provisional patient with this email address and name key, and register one if there is none.

    A known patient with the same name and address is neither read nor changed. An existing provisional row is returned
    unchanged. The caller gives the same response in all these cases, so that it does not reveal which patients are
    known.
    """
    return _find_or_register(is_provisional=True, name=name, email=email, phone=phone, time_zone=time_zone, now=now)


def _find_or_register(
    *, is_provisional: bool, name: str, email: str, phone: str, time_zone: str, now: datetime
) -> Patient:
    """Insert the row, or find the existing one that it conflicts with.

    Between the two statements another request can commit a change to that row, such as a merge. Then the row no longer
    matches, and the next attempt inserts. An attempt fails only because of such a change, so a few are enough. Raises
    Patient.DoesNotExist after ATTEMPTS_TO_REGISTER.
    """
    name, email = normalize_name(name), normalize_address(email)
    registered = Patient(
        name=name,
        email=email,
        phone=phone,
        time_zone=time_zone if time_zone in zone_names() else "",  # a browser may send an unknown name
        is_provisional=is_provisional,
        created_at=now,
    )
    for _ in range(ATTEMPTS_TO_REGISTER):
        Patient.objects.bulk_create([registered], ignore_conflicts=True)
        if patient := _find_registered(registered):
            break
    else:
        raise Patient.DoesNotExist("The patient's row kept changing.")
    if patient.pk == registered.pk:
        # Read after the insert: a merge that the insert waited for is committed and visible by then.
        if not is_provisional and (kept := find_kept(name=name, email=email, phone=phone)):
            patient.delete()
            return kept
        record_access(actor=None, action=Action.CREATE, subject=patient, patient_id=patient.pk, now=now)
    return patient


def find_kept(*, name: str, email: str, phone: str) -> Patient | None:
    """Return the patient into whom staff merged a known row with this identity; None if there is none.

    Email address and name are the identity, or phone number and name without an address.
    """
    replaced = Patient.objects.replaced().select_related("merged_into").order_by("pk")
    if email:
        replaced = replaced.with_identity(name=name, email=email)
    elif phone:
        replaced = replaced.filter(email="", phone=phone, name_key=NameKey(Value(name)))
    else:
        return None
    kept = [row.merged_into for row in replaced if row.merged_into and row.merged_into.erased_at is None]
    return kept[0] if kept else None


def _find_registered(registered: Patient) -> Patient | None:
    """Return the stored row: `registered`, or the row it conflicted with. None if that row no longer matches."""
    # Locked, so that a provisional row is not merged before rows that refer to it are written.
    rows = Patient.objects.select_for_update(no_key=True) if registered.is_provisional else Patient.objects
    if registered.email:
        people = rows.matching(name=registered.name, email=registered.email)
        return people.filter(is_provisional=registered.is_provisional).first()
    stored = rows.filter(pk=registered.pk).first()
    return stored or find_by_phone(name=registered.name, phone=registered.phone)


def update_contact(
    patient: Patient, *, phone: str, time_zone: str = "", may_replace: bool = True, now: datetime
) -> None:
    """Fill in a phone number (E.164) and a time zone, or replace those on file if `may_replace`.

    Ignores empty values and unknown zones. Raises NamesakeHasPhone if another patient without an address has this name
    and number.
    """
    time_zone = time_zone if time_zone in zone_names() else ""
    newer = {
        field: value
        for field, value in (("phone", phone), ("time_zone", time_zone))
        if value and value != getattr(patient, field) and (may_replace or not getattr(patient, field))
    }
    if not newer:
        return
    for field, value in newer.items():
        setattr(patient, field, value)
    try:
        with transaction.atomic():
            patient.save(update_fields=list(newer))
    except IntegrityError as error:
        if not isinstance(error.__cause__, errors.UniqueViolation):
            raise
        raise NamesakeHasPhone from error
    record_access(actor=None, action=Action.UPDATE, subject=patient, patient_id=patient.pk, now=now)


@transaction.atomic
def accept_patient(patient: Patient, *, by: User | None = None, now: datetime) -> Patient:
    """Make a provisional patient known, or merge it into the known row of the same person. Returns the known row.

    Call this when a link from the mailbox was used, or when staff (`by`) have met the person. A merge makes all rows
    that refer to the provisional row refer to the known one. The known row's own columns do not change, since a phone
    number typed by a stranger must not replace the one on file. Only an opt-in to first names is copied. Idempotent.
    """
    # `merged_into` is read in a second query: a join would return its state before the wait for the lock.
    patient = Patient.objects.select_for_update().get(pk=patient.pk)
    if patient.merged_into is not None:
        return accept_patient(patient.merged_into, by=by, now=now)
    if not patient.is_provisional:
        return patient
    same_person = Patient.objects.same_person_as(patient).known()
    kept = same_person.first() or find_kept(name=patient.name, email=patient.email, phone="")
    known = kept or _make_known(patient)
    if known is None:  # another request registered the person between the two statements
        return accept_patient(patient, by=by, now=now)
    if known != patient:
        move_record(patient, known, now=now)
        record_access(actor=None, action=Action.UPDATE, subject=patient, patient_id=patient.pk, now=now)
    record_access(actor=by, action=Action.UPDATE, subject=known, patient_id=known.pk, now=now)
    return known


def _make_known(patient: Patient) -> Patient | None:
    """Make the row known and return it. Returns None if another request registered the same person first."""
    try:
        with transaction.atomic():
            patient.is_provisional = False
            patient.save(update_fields=["is_provisional"])
    except IntegrityError:
        patient.is_provisional = True
        return None
    return patient


@transaction.atomic
def change_address(patient: Patient, *, email: str, by: User | None, now: datetime) -> Patient:
    """Change the email address of `patient`, or remove it if `email` is "".

    Revokes the patient's links, since the old mailbox has them (`revoke_all_links`). Callbacks of other rooms
    (`on_new_address`) send what the patient still needs to the new one. Raises IntegrityError if another patient has
    this name and address.
    """
    revoke_all_links(patient, now=now)
    patient.email = normalize_address(email)
    patient.save(update_fields=["email"])
    record_access(actor=by, action=Action.UPDATE, subject=patient, patient_id=patient.pk, now=now)
    for send_again in _after_new_address:
        send_again(patient, now)
    return patient


def on_new_address(send_again: Callable[[Patient, datetime], None]) -> None:
    """Register `send_again(patient, now)`, which plans messages for a new mailbox. For AppConfig.ready."""
    _after_new_address.append(send_again)
