"""Correct a mistyped email address, and send messages to a new address."""

from datetime import datetime

from django.db.models import QuerySet
from django.db.models.functions import Length

from booking.messages.names import BOOKED, MOVED, ON_WAIT_LIST
from booking.messages.planning import plan_messages_to_new_address
from booking.models import Appointment, AppointmentEvent, WaitListEntry
from booking.schedule.errors import AddressProven, MailOnItsWay, TooLateToChange
from booking.schedule.history import lock_appointment, record_event
from booking.schedule.locking import row_locks
from booking.wait_list.entries import CONFIRM_WITHIN, end_expired_entries
from clinic.outbox.messages.planning import plan_message, resend_message
from clinic.outbox.models import SETTLED, Channel, Message
from clinic.outbox.texts.texting import consent_of, give_consent
from clinic.practice.access.links import revoke_all_links, revoke_links
from clinic.practice.models import Clinic, Patient, PatientLink, Proof
from clinic.practice.people.patients import find_or_register_provisional

Status = Appointment.Status
MOST_COPIES = 3  # most resends of a visit's confirmation, on request


@row_locks()
def correct_address(*, appointment: Appointment, email: str, now: datetime) -> Appointment:
    """Correct the email address of a visit's provisional patient, and send the visit's confirmation there.

    Mailed links are revoked; links shown in a browser remain valid. The visit and its wait list entries are assigned to
    another patient row, because the old row may have other visits. If it has nothing else, it is merged.

    Raises AddressProven if the patient is known (such as after a mailed link was used) or merged, TooLateToChange if
    the visit is not booked or has begun, or BusyTryAgain.
    """
    appointment = lock_appointment(appointment)  # and its patient, so that the old address cannot be proven meanwhile
    old = appointment.booked_patient
    old.refresh_from_db()
    if not old.is_provisional or old.merged_into_id:
        raise AddressProven
    if appointment.status != Status.BOOKED or appointment.starts_at <= now:
        raise TooLateToChange
    new = find_or_register_provisional(name=old.name, email=email, phone=old.phone, time_zone=old.time_zone, now=now)
    if new != old:
        _give_visit_to(appointment, new, now=now)
        record_event(appointment, AppointmentEvent.Kind.ADDRESS_CORRECTED, by=None, now=now)
        plan_messages_to_new_address(appointment, clinic=Clinic.objects.current(), now=now)
        plan_entry_mails(new, now)
    return appointment


def _give_visit_to(appointment: Appointment, patient: Patient, *, now: datetime) -> None:
    old = appointment.booked_patient
    subjects = [subject for subject in (appointment.pk, appointment.intake_id) if subject is not None]
    shown = PatientLink.objects.filter(subject_id__in=subjects, proof=Proof.SHOWN)
    for subject in subjects:
        revoke_links(subject_id=subject, proof=Proof.MAILED, now=now)
    shown.update(patient=patient)
    Message.objects.filter(subject_id=appointment.pk).exclude(state__in=SETTLED).update(patient=patient)
    _give_entries_to(patient, WaitListEntry.objects.waiting().filter(appointment=appointment, patient=old), now=now)
    if not old.appointments.exclude(pk=appointment.pk).exists() and not old.wait_list_entries.exists():
        revoke_all_links(old, now=now)
        old.merged_into = patient  # only this visit had the wrong address
        old.save(update_fields=["merged_into"])
    appointment.patient, appointment.other_phone = patient, appointment.other_phone or _unless_same(old, patient)
    appointment.save(update_fields=["patient", "other_phone"])
    if appointment.intake is not None:
        appointment.intake.patient = patient
        appointment.intake.save(update_fields=["patient"])
    if (consent := consent_of(old)) and patient.phone == old.phone and consent_of(patient) is None:
        give_consent(patient=patient, wording=consent.wording, instead_of_email=consent.instead_of_email, now=now)


def _give_entries_to(patient: Patient, entries: QuerySet[WaitListEntry], *, now: datetime) -> None:
    """Move waiting `entries`. A patient waits once for a service, so an entry that `patient` has already stays."""
    end_expired_entries(patient=patient, now=now)
    kept = WaitListEntry.objects.waiting().filter(patient=patient).values("service")
    entries.filter(service__in=kept).update(status=WaitListEntry.Status.LEFT, ended_at=now)
    entries.update(patient=patient)


def _unless_same(one: Patient, other: Patient) -> str:
    return one.phone if one.phone != other.phone else ""


def send_mail_again(*, appointment: Appointment, now: datetime) -> Message:
    """Send the newest confirmation or move email about the visit's current version again to the same mailbox.

    Raises MailOnItsWay if there is none, while it is pending, or after `MOST_COPIES`. Also raises the errors of
    `resend_message`.
    """
    news = Message.objects.filter(subject_id=appointment.pk, kind__in=(BOOKED, MOVED), channel=Channel.EMAIL)
    news = news.filter(version=appointment.version)
    newest = news.order_by("created_at", Length("dedupe_key"), "dedupe_key").last()  # "#10" after "#9"
    if newest is None or newest.state not in SETTLED or news.count() > MOST_COPIES:
        raise MailOnItsWay
    return resend_message(newest, now=now)


def send_to_new_address(patient: Patient, now: datetime) -> None:
    """Plan confirmations of the patient's upcoming visits, and emails with links to their wait list entries.

    They go to the patient's new address and contain new links. The visits' reminders are planned again.
    """
    clinic = Clinic.objects.current()
    ahead = Appointment.objects.filter(patient=patient, status=Status.BOOKED, starts_at__gt=now)
    for appointment in ahead.select_related("patient", "service").order_by("pk").select_for_update(of=("self",)):
        plan_messages_to_new_address(appointment, clinic=clinic, now=now)
    plan_entry_mails(patient, now)


def plan_entry_mails(patient: Patient, now: datetime) -> None:
    """Plan an email with the link to each waiting entry of `patient`."""
    for entry in WaitListEntry.objects.waiting().filter(patient=patient).select_related("service"):
        plan_message(
            kind=ON_WAIT_LIST,
            subject_id=entry.pk,
            version=int(now.timestamp()),  # never equal to the version of a daily email, which counts days
            patient=patient,
            scope=entry.service.slug,
            due_at=now,
            not_after=now + CONFIRM_WITHIN,
            now=now,
        )
