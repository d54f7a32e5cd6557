"""Join and leave the wait list for an earlier time."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.urls import reverse

from assessments.intake.screening import Screen, begin_intake
from booking.messages.names import ON_WAIT_LIST
from booking.models import Appointment, Service, WaitListEntry
from booking.models.wait_list import WaitListQuerySet
from booking.schedule.clocks import clock_of_entry
from booking.time.day_parts import PARTS
from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.outbox.messages.planning import plan_message
from clinic.practice.access.links import issue_link
from clinic.practice.models import Clinic, LinkPurpose, Patient, Proof, Therapist, User
from clinic.practice.people.patients import ATTEMPTS_TO_REGISTER, find_or_register_provisional
from clinic.practice.values.mail_addresses import normalize_address
from clinic.practice.values.names import normalize_name
from clinic.practice.values.zones import known_zone

LINK_LASTS_BEYOND = timedelta(days=14)
LONGEST_WAIT = timedelta(days=180)
CONFIRM_WITHIN = timedelta(days=1)  # after that, the email that confirms joining is no longer useful

Status = WaitListEntry.Status


@dataclass(frozen=True)
class Wishes:
    """The days and the part of the day that suit a patient.

    They are in `time_zone`, an IANA name, or empty for the clinic's zone.
    """

    first_on: date
    last_on: date
    part_of_day: str = ""
    time_zone: str = ""

    def suit(self, instant: datetime, clinic: Clinic) -> bool:
        """Whether a visit that starts at `instant` is on a wished day and in the wished part of it."""
        local = instant.astimezone(known_zone(self.time_zone) or clinic.zone)
        if not self.first_on <= local.date() <= self.last_on:
            return False
        return not self.part_of_day or PARTS[self.part_of_day].contains(local)


def unexpired_entries(*, now: datetime) -> WaitListQuerySet:
    """Return the waiting entries that have not expired, by the rule of `WaitListQuerySet.unexpired`."""
    return WaitListEntry.objects.unexpired(now=now, today=now.astimezone(Clinic.objects.current().zone).date())


def end_expired_entries(*, patient: Patient, service: Service | None = None, now: datetime) -> None:
    """End the expired entries of `patient`, so that the patient can join again.

    An entry expires, for example, when its visit is canceled. With `service`, end only entries for that service.
    """
    waiting = WaitListEntry.objects.waiting().filter(patient=patient)
    waiting = waiting if service is None else waiting.filter(service=service)
    for entry in waiting.exclude(pk__in=unexpired_entries(now=now).values("pk")):
        leave_wait_list(entry=entry, now=now)


def wishes_of(entry: WaitListEntry, *, clinic: Clinic) -> Wishes:
    zone_name = clock_of_entry(entry, clinic=clinic).stored_zone_name
    return Wishes(entry.first_on, entry.last_on, entry.part_of_day, zone_name)


@transaction.atomic
def join_wait_list(
    *,
    patient: Patient,
    service: Service,
    mode: str,
    wishes: Wishes,
    therapist: Therapist | None = None,
    appointment: Appointment | None = None,
    now: datetime,
) -> WaitListEntry:
    """Add `patient` to the list for `service`, or update the mode, therapist and wishes of their waiting entry.

    `appointment` is the visit that they want earlier; None if there is none or it is unknown, and then an existing
    entry keeps its visit.
    """
    end_expired_entries(patient=patient, service=service, now=now)
    wanted: dict[str, Any] = {"mode": mode, "therapist": therapist, **vars(wishes)}
    if appointment is not None:
        wanted["appointment"] = appointment
    entry, is_new = WaitListEntry.objects.update_or_create(
        patient=patient,
        service=service,
        status=Status.WAITING,
        defaults=wanted,
        create_defaults={**wanted, "created_at": now},
    )
    action = Action.CREATE if is_new else Action.UPDATE
    record_access(actor=None, action=action, subject=entry, patient_id=patient.pk, now=now)
    return entry


@transaction.atomic
def join_as_visitor(
    *,
    name: str,
    email: str,
    phone: str,
    time_zone: str = "",
    service: Service,
    wishes: Wishes,
    mode: str,
    therapist: Therapist | None = None,
    appointment: Appointment | None = None,
    screen: Screen | None = None,
    now: datetime,
) -> WaitListEntry:
    """Add a visitor to the list, from a form that anyone can fill in.

    A visitor who types a patient's name and address must not change that patient's wishes. An existing entry is
    therefore unchanged. The link to the new or existing entry is mailed, at most once a day. A new entry and the
    answers of `screen` belong to a provisional patient. Staff see the answers whether or not a time becomes free.
    """
    entry = _entry_of_same_person(name=name, email=email, service=service, now=now)
    if entry is None or (screen is not None and screen.answers):
        patient = find_or_register_provisional(name=name, email=email, phone=phone, time_zone=time_zone, now=now)
        begin_intake(questionnaire_slug="", patient=patient, screen=screen, now=now)
    if entry is None:
        end_expired_entries(patient=patient, service=service, now=now)
        wanted = {"mode": mode, "therapist": therapist, "appointment": appointment, **vars(wishes)}
        fresh = WaitListEntry(patient=patient, service=service, created_at=now, **wanted)
        entry = _enter(fresh)
        if entry.pk == fresh.pk:
            record_access(actor=None, action=Action.CREATE, subject=entry, patient_id=patient.pk, now=now)
    plan_message(
        kind=ON_WAIT_LIST,
        subject_id=entry.pk,
        version=(now - entry.created_at).days + 1,
        patient=entry.patient,
        scope=entry.service.slug,
        due_at=now,
        not_after=now + CONFIRM_WITHIN,
        now=now,
    )
    return entry


def _enter(fresh: WaitListEntry) -> WaitListEntry:
    """Insert `fresh`, or return the waiting entry that it conflicts with.

    That entry can end between the two statements; the next attempt then inserts. Raises WaitListEntry.DoesNotExist
    after the last attempt.
    """
    for _ in range(ATTEMPTS_TO_REGISTER):
        WaitListEntry.objects.bulk_create([fresh], ignore_conflicts=True)
        same = WaitListEntry.objects.waiting().filter(patient=fresh.patient, service=fresh.service)
        if entry := same.first():
            return entry
    raise WaitListEntry.DoesNotExist("The patient's entry kept changing.")


def _entry_of_same_person(*, name: str, email: str, service: Service, now: datetime) -> WaitListEntry | None:
    people = Patient.objects.matching(name=normalize_name(name), email=normalize_address(email))
    entries = unexpired_entries(now=now).select_related("patient").filter(patient__in=people, service=service)
    return entries.order_by("patient__is_provisional").first()


@transaction.atomic
def leave_wait_list(*, entry: WaitListEntry, by: User | None = None, now: datetime) -> WaitListEntry:
    """Take an entry off the list. Pending offers are not sent. Idempotent; served entries are unchanged."""
    left = WaitListEntry.objects.filter(pk=entry.pk, status=Status.WAITING)
    if left.update(status=Status.LEFT, ended_at=now):
        record_access(actor=by, action=Action.UPDATE, subject=entry, patient_id=entry.patient_id, now=now)
    entry.refresh_from_db(fields=["status", "ended_at"])
    return entry


def next_visit_of(entry: WaitListEntry, *, now: datetime) -> Appointment | None:
    """Return the visit that would be moved to an offered time; None if there is none.

    It is the entry's visit, else the patient's next visit of the same service.
    """
    visits = Appointment.objects.select_related("service", "therapist", "patient")
    if entry.appointment_id is not None:
        return visits.get(pk=entry.appointment_id)
    ahead = visits.filter(patient=entry.patient_id, service=entry.service_id, status=Appointment.Status.BOOKED)
    return ahead.filter(starts_at__gt=now).order_by("starts_at").first()


def entry_path(entry: WaitListEntry, *, clinic: Clinic, now: datetime) -> str:
    """Issue a link for an email, and return the path of the page that shows the entry."""
    days_left = max(timedelta(0), entry.last_on - now.astimezone(clinic.zone).date())
    token = issue_link(
        patient=entry.patient,
        purpose=LinkPurpose.WAITING,
        subject_id=entry.pk,
        proof=Proof.MAILED,
        expires_at=now + days_left + LINK_LASTS_BEYOND,
        now=now,
    )
    return reverse("booking:waiting", args=[token])
