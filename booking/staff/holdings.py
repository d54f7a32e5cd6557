"""What this room holds of a patient: visits and their history, wait list entries and offers, requests for links."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.urls import reverse

from booking.actions.correct_address import plan_entry_mails
from booking.messages.planning import plan_messages_to_new_address
from booking.models import Appointment, AppointmentEvent, ReturnRequest, SlotOffer, WaitListEntry
from booking.schedule.local_time import clinic_time
from booking.staff.rights import SEES_VISITS, SEES_WAIT_LIST
from booking.wait_list.entries import end_expired_entries
from clinic.practice.models import Clinic, Patient, User
from clinic.practice.people.merging import has_same_mailbox
from clinic.practice.people.own_contact import own_addresses
from clinic.practice.registry.holdings import (
    ErasureRefused,
    Holding,
    Line,
    NotNeeded,
    by_column,
    export_columns,
    register_holding,
)

Status = Appointment.Status
AGREED = {
    "reference": "the reference",
    "mode": "how it took place",
    "status": "whether it took place",
    "late_fee": "the decision on the late fee",
    "late_fee_note": "the note on late fees",
    "off_schedule_accepted": "why it was outside the schedule",
}


class UpcomingVisit(ErasureRefused):
    """The patient has a booked visit that is not over."""


def register_holdings() -> None:
    """Register the holdings of this room. Visits are last, so that they are locked before what refers to them."""
    for holding in (LINK_REQUESTS, OFFERS, ENTRIES, EVENTS, VISITS):
        register_holding(holding)


# Visits

_visits = by_column(Appointment)


def _read_visits(patients: Sequence[Patient], *, by: User, most: int | None, now: datetime) -> Iterable[Line]:
    rows = _visits(patients).exclude(status=Status.HELD).select_related("service", "therapist")
    for row in rows.order_by("-starts_at", "pk")[:most]:
        what = f"Visit, {row.get_status_display()}: {row.service.name} with {row.therapist.name}"
        yield Line(row.starts_at, what, reverse("admin:booking_appointment_change", args=[row.pk]))


def _repoint_visits(source: Patient, target: Patient, now: datetime) -> list[str]:
    """Move the visits, locked by pk. A number that the kept patient does not have is noted on them.

    If the kept patient has another mailbox, upcoming visits are confirmed to it.
    """
    rows = list(Appointment.objects.filter(patient=source).order_by("pk").select_for_update())
    moved = Appointment.objects.filter(pk__in=[row.pk for row in rows])
    is_copied = not (target.phone or source.is_provisional)  # see `merge_patients`
    if source.phone and source.phone != target.phone and not is_copied:
        moved.filter(other_phone="").update(other_phone=source.phone)
    moved.update(patient=target)
    if not has_same_mailbox(source, target):
        clinic, ahead = Clinic.objects.current(), moved.filter(status=Status.BOOKED, starts_at__gt=now)
        for visit in ahead.select_related("patient", "service").order_by("pk"):
            plan_messages_to_new_address(visit, clinic=clinic, now=now)
    return []


def _erase_visits(patients: Sequence[Patient], now: datetime) -> None:
    Appointment.objects.filter(patient__in=patients).update(
        other_phone="", guardian_name="", visitor_time_zone="", source_article=None
    )


def _refuse_with_upcoming_visit(patient: Patient, now: datetime) -> None:
    if Appointment.objects.filter(patient=patient, status=Status.BOOKED, ends_at__gt=now).exists():
        raise UpcomingVisit("This patient has an upcoming visit. Cancel it first.")


VISITS = Holding(
    model=Appointment,
    permission=SEES_VISITS,
    find=_visits,
    timeline=_read_visits,
    export=export_columns(_visits, leave_out=("patient", "blocked", "idempotency_key", "hold_expires_at")),
    repoint=_repoint_visits,
    erase=_erase_visits,
    goes="The other phone number, parent or guardian, time zone, and the article that the patient came from.",
    stays=AGREED,
    refuse_erasure=_refuse_with_upcoming_visit,
)


# Their history

_events = by_column(AppointmentEvent, "appointment__patient")


def _read_events(patients: Sequence[Patient], *, by: User, most: int | None, now: datetime) -> Iterable[Line]:
    clinic = Clinic.objects.current()
    for row in _events(patients).select_related("by").order_by("-at", "-pk")[:most]:
        url = reverse("admin:booking_appointment_change", args=[row.appointment_id])
        when = clinic_time(row.starts_at, clinic).short
        what = f"{row.get_kind_display().capitalize()}{' without telling the patient' if row.is_silent else ''}"
        yield Line(row.at, f"{what}, by {row.by or 'the patient'}: visit of {when}", url)


EVENTS = Holding(
    model=AppointmentEvent,
    label="history of visits",
    permission=SEES_VISITS,
    find=_events,
    timeline=_read_events,
    export=export_columns(_events),
    repoint=NotNeeded("belongs to its visit, which moves"),
    erase=NotNeeded("has instants, a therapist and codes"),
    stays={"kind": "what changed", "mode": "how it took place", "cleared": "which marks a move cleared"},
)


# The wait list

_entries = by_column(WaitListEntry)


def _read_entries(patients: Sequence[Patient], *, by: User, most: int | None, now: datetime) -> Iterable[Line]:
    rows = _entries(patients).select_related("service").annotate(last=Coalesce("ended_at", "created_at"))
    for row in rows.order_by("-last", "pk")[:most]:
        url = reverse("admin:booking_waitlistentry_change", args=[row.pk])
        yield Line(row.created_at, f"Joined the wait list: {row}", url)
        if row.ended_at is not None:
            yield Line(row.ended_at, f"Wait list, {row.get_status_display()}: {row}", url)


def _repoint_entries(source: Patient, target: Patient, now: datetime) -> list[str]:
    """Move the entries. A patient waits once for a service, so the kept patient's entry for it stays."""
    for patient in (target, source):
        end_expired_entries(patient=patient, now=now)
    waiting = WaitListEntry.objects.waiting()
    doubled = waiting.filter(patient=source, service__in=waiting.filter(patient=target).values("service"))
    names = list(doubled.order_by("service__position").values_list("service__name", flat=True))
    doubled.update(status=WaitListEntry.Status.LEFT, ended_at=now)
    WaitListEntry.objects.filter(patient=source).update(patient=target)
    if not has_same_mailbox(source, target):
        plan_entry_mails(target, now)
    return [f"The wait list entry for {name} ended: the kept patient waits for it already." for name in names]


def _erase_entries(patients: Sequence[Patient], now: datetime) -> None:
    rows = WaitListEntry.objects.filter(patient__in=patients)
    rows.waiting().update(status=WaitListEntry.Status.LEFT, ended_at=now)
    rows.update(time_zone="")


ENTRIES = Holding(
    model=WaitListEntry,
    permission=SEES_WAIT_LIST,
    find=_entries,
    timeline=_read_entries,
    export=export_columns(_entries, leave_out=("patient",)),
    repoint=_repoint_entries,
    erase=_erase_entries,
    goes="The time zone. The patient leaves the list.",
    stays={"part_of_day": "the time of day", "mode": "how the visit would take place"},
)


# Offers of freed times

_offers = by_column(SlotOffer, "entry__patient")

OFFERS = Holding(
    model=SlotOffer,
    label="offers of freed times",
    permission=SEES_WAIT_LIST,
    find=_offers,
    timeline=NotNeeded("each offer is a message, which is in the timeline"),
    export=export_columns(_offers, leave_out=("freed_by", "freed_version")),  # another patient's visit
    repoint=NotNeeded("belongs to its wait list entry, which moves"),
    erase=NotNeeded("has instants and a therapist"),
)


# Requests for links


def _link_requests(patients: Sequence[Patient]) -> QuerySet[ReturnRequest]:
    """Return the requests for the addresses that only these patients have."""
    return ReturnRequest.objects.filter(email__in=own_addresses(patients))


def _delete_link_requests(patients: Sequence[Patient], now: datetime) -> None:
    _link_requests(patients).delete()


LINK_REQUESTS = Holding(
    model=ReturnRequest,
    label="requests for links",
    permission="practice.view_patient",
    find=_link_requests,
    timeline=NotNeeded("deleted after a day; anyone may have typed the address"),
    export=NotNeeded("deleted after a day; anyone may have typed the address"),
    repoint=NotNeeded("a request is about an address, whoever has it"),
    erase=_delete_link_requests,
    goes="Requests for links by email.",
)
