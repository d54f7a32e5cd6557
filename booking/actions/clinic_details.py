"""Update upcoming visits, and notify their patients, when the clinic's name, address or phone number changes."""

import uuid
from collections.abc import Iterator
from datetime import datetime

from django.db.models import QuerySet

from booking.messages.delivery import count_to_call
from booking.messages.names import CLINIC_DETAILS, CLINIC_MOVED, CLINIC_NEWS
from booking.messages.reader import reader_zone_of_visit
from booking.models import MODES, Appointment
from booking.models.visit_states import UNDO_FOR
from booking.schedule.rules import lock_patients
from clinic.outbox.messages.message_rules import rules_in_force
from clinic.outbox.messages.planning import draft_message, plan_messages, withdraw_messages
from clinic.outbox.models import SETTLED, Channel, Message, State
from clinic.outbox.texts.texting import texts_beside
from clinic.practice.models import Clinic
from clinic.practice.saving.clinic_changes import ADDRESS, CONTACT, Told, changed_fields, digest_of, register_told

# `told_before` while an earlier email is being sent. Its parts differ from every digest, so that the patient counts as
# not notified.
UNKNOWN = ":"


def register_clinic_details() -> None:
    """Register with `clinic.practice` how to count and update the visits that a change affects. For AppConfig.ready."""
    register_told("visits", Told(count=_count, count_to_call=_count_to_call, update=update_visits))


def _concerned(before: Clinic, after: Clinic, now: datetime) -> QuerySet[Appointment]:
    """Return the upcoming visits that the change affects.

    A new address affects only visits at the clinic; a new name or phone number affects all.
    """
    changed = changed_fields(before, after)
    ahead = Appointment.objects.filter(status=Appointment.Status.BOOKED, starts_at__gt=now)
    if not changed:
        return ahead.none()
    at_clinic = [mode.name for mode in MODES.values() if mode.is_at_clinic]
    return ahead.filter(mode__in=at_clinic) if changed <= set(ADDRESS) else ahead


def _count(before: Clinic, after: Clinic, now: datetime) -> int:
    return _concerned(before, after, now).count()


def _count_to_call(before: Clinic, after: Clinic, now: datetime) -> int:
    has_moved = bool(changed_fields(before, after) & set(ADDRESS))
    visits = _concerned(before, after, now).select_related("patient", "service")
    return count_to_call(list(visits.filter(patient__email="")), CLINIC_MOVED if has_moved else CLINIC_DETAILS)


def update_visits(before: Clinic, after: Clinic, is_told: bool, now: datetime) -> None:
    """Increment the SEQUENCE of each affected visit, so that its next calendar file replaces the entry.

    If `is_told`, plan an email about the change, and a text to patients who agreed to texts. A pending message about an
    earlier change is withdrawn in any case, and replaced unless the patient already knows the details in `after`. Runs
    in the caller's transaction and locks the rows in the order of `rules.lock_patient`.
    """
    drafts = []
    visits = _concerned(before, after, now).select_related("patient", "service")
    lock_patients(visits)
    pending = _pending_news(visits)
    for visit in visits.order_by("pk").select_for_update(of=("self",)):
        visit.sequence += 1
        visit.save(update_fields=["sequence"])
        withdraw_messages(subject_id=visit.pk, reason="the clinic changed again", kinds=CLINIC_NEWS, now=now)
        told_before, asked = _digest(before), set(_kinds_of(changed_fields(before, after))) if is_told else set()
        if earlier := pending.get(visit.pk):
            told_before = UNKNOWN if earlier.state == State.SENDING else earlier.told_before
            asked |= {earlier.kind, CLINIC_DETAILS}
        kind = _kind_of_news(visit, asked, told_before=told_before, told_now=_digest(after))
        if kind is not None and rules_in_force(scope=visit.service.slug)[kind].is_active:
            drafts.append(_draft(visit, kind, told_before, now))
    plan_messages([*drafts, *texts_beside(drafts, now=now, with_news=True)])


def _pending_news(visits: QuerySet[Appointment]) -> dict[uuid.UUID, Message]:
    """Return, by visit, the newest email about an earlier change that is waiting or being sent."""
    unsettled = Message.objects.filter(kind__in=CLINIC_NEWS, channel=Channel.EMAIL).exclude(state__in=SETTLED)
    unsettled = unsettled.filter(subject_id__in=visits.values("pk")).order_by("version")
    return {message.subject_id: message for message in unsettled}


def _kinds_of(fields: set[str]) -> Iterator[str]:
    if fields & set(ADDRESS):
        yield CLINIC_MOVED
    if fields & set(CONTACT):
        yield CLINIC_DETAILS


def _kind_of_news(visit: Appointment, asked: set[str], *, told_before: str, told_now: str) -> str | None:
    """Return the kind of email for the changed details, if it is one of the kinds that staff `asked` for.

    None if the patient knows all details that these kinds announce.
    """
    address_before, contact_before = told_before.split(":")
    address, contact = told_now.split(":")
    if CLINIC_MOVED in asked and address != address_before and visit.visit_mode.is_at_clinic:
        return CLINIC_MOVED  # its email contains all details
    return CLINIC_DETAILS if CLINIC_DETAILS in asked and contact != contact_before else None


def _digest(clinic: Clinic) -> str:
    return f"{digest_of(clinic, ADDRESS)}:{digest_of(clinic, CONTACT)}"


def _draft(visit: Appointment, kind: str, told_before: str, now: datetime) -> Message:
    """Draft the email. Its version is the visit's SEQUENCE, which each change of the clinic's details increments."""
    return draft_message(
        kind=kind,
        subject_id=visit.pk,
        version=visit.sequence,
        patient=visit.patient,
        scope=visit.service.slug,
        time_zone=reader_zone_of_visit(visit),
        told_before=told_before,
        due_at=now + UNDO_FOR,
        not_after=max(visit.starts_at, now + 2 * UNDO_FOR),
        now=now,
    )
