"""A new name, address or phone number of the clinic: what it means for visits ahead. The one place where this is decided."""

from datetime import datetime

from django.db.models import QuerySet

from booking.message_words import CLINIC_DETAILS, CLINIC_MOVED
from booking.models import Appointment
from booking.reminders import UNDO_FOR, reader_zone_name
from clinic.outbox.messages import draft_message, plan_messages, withdraw_messages
from clinic.outbox.models import Message
from clinic.outbox.rules import rules_in_force
from clinic.practice.clinic_changes import ADDRESS, Told, changed_fields, register_told
from clinic.practice.models import Clinic

KINDS = (CLINIC_MOVED, CLINIC_DETAILS)


def register_clinic_details() -> None:
    """Tell `clinic.practice` whom a change concerns. Called once, when the app is ready."""
    register_told("visits", Told(count=_count, update=update_visits))


def _concerned(before: Clinic, after: Clinic, now: datetime) -> QuerySet[Appointment]:
    """Visits ahead whose calendar entry or mails the change makes wrong: of a new address those in person, of a new name
    or phone number all."""
    changed = changed_fields(before, after)
    ahead = Appointment.objects.filter(status=Appointment.Status.BOOKED, starts_at__gt=now)
    if not changed:
        return ahead.none()
    return ahead.filter(mode=Appointment.Mode.IN_PERSON) if changed <= set(ADDRESS) else ahead


def _count(before: Clinic, after: Clinic, now: datetime) -> int:
    return _concerned(before, after, now).count()


def update_visits(before: Clinic, after: Clinic, is_told: bool, now: datetime) -> None:
    """Raise each visit's SEQUENCE, so that its next calendar file replaces the entry; plan a mail about it if `is_told`.

    A mail about an earlier change that has not left is withdrawn. The caller's transaction holds the rows locked.
    """
    has_moved = bool(changed_fields(before, after) & set(ADDRESS))
    drafts = []
    visits = _concerned(before, after, now).select_related("patient", "service")
    for visit in visits.order_by("pk").select_for_update(of=("self",)):
        visit.sequence += 1
        visit.save(update_fields=["sequence"])
        withdraw_messages(subject_id=visit.pk, reason="the clinic changed again", kinds=KINDS, now=now)
        kind = CLINIC_MOVED if has_moved and visit.mode == Appointment.Mode.IN_PERSON else CLINIC_DETAILS
        if is_told and rules_in_force(scope=visit.service.slug)[kind].is_active:
            drafts.append(_draft(visit, kind, now))
    plan_messages(drafts)


def _draft(visit: Appointment, kind: str, now: datetime) -> Message:
    """Its version is the visit's SEQUENCE, which each change of the clinic raises."""
    return draft_message(
        kind=kind,
        subject_id=visit.pk,
        version=visit.sequence,
        patient=visit.patient,
        scope=visit.service.slug,
        time_zone=reader_zone_name(visit),
        due_at=now + UNDO_FOR,
        not_after=max(visit.starts_at, now + 2 * UNDO_FOR),
        now=now,
    )
