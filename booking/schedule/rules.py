"""Check the booking rules for a time, with the same rows and the same arithmetic as the offered times."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from booking.models import Appointment, AppointmentEvent, HoursOverride, Service
from booking.models.visit_states import UNDO_FOR
from booking.schedule.errors import NotOfferedBecause, OffScheduleBecause, SlotNotOffered, SlotTaken
from booking.schedule.schedules import Schedule, read_schedules
from booking.schedule.slots import Slot
from booking.time.caps import starts_under_caps
from booking.time.intervals import Interval, VisitShape, offered_starts
from booking.time.opening_hours import day_interval
from clinic.practice.models import Clinic, Patient, Therapist

Because = NotOfferedBecause

WAS_ASKED = "asked_to_move"  # in `AppointmentEvent.cleared` of a cancellation that ended `is_asked_to_move`
GRACE = timedelta(minutes=30)  # time after booking to correct a mistake online, however soon the visit is


@dataclass(frozen=True)
class BookableTime:
    """The range [earliest, latest) of start times that can be booked online."""

    earliest: datetime
    latest: datetime

    def last_day(self, zone: ZoneInfo) -> date:
        """Return the last local day in `zone` on which a visit can start."""
        return (self.latest - timedelta(microseconds=1)).astimezone(zone).date()


def bookable_time(service: Service, *, clinic: Clinic, now: datetime) -> BookableTime:
    """Return the range given by the notice and horizon of the service, by default the clinic's.

    The last day is bookable until midnight.
    """
    notice, horizon = service.minimum_notice_minutes, service.horizon_days
    notice = clinic.minimum_notice_minutes if notice is None else notice
    horizon = clinic.horizon_days if horizon is None else horizon
    today = now.astimezone(clinic.zone).date()
    last_day = day_interval(today + timedelta(days=horizon), 1, clinic.zone)
    return BookableTime(now.astimezone(UTC) + timedelta(minutes=notice), last_day.end)


def change_deadline(*, starts_at: datetime, booked_at: datetime, clinic: Clinic) -> datetime:
    """Return the deadline to move or cancel a visit online.

    It is `change_window_hours` before the visit, or `GRACE` after booking if that is later, but not after the visit's
    start.
    """
    window_begins = starts_at - timedelta(hours=clinic.change_window_hours)
    return min(max(window_begins, booked_at + GRACE), starts_at)


def change_deadline_of(appointment: Appointment, *, clinic: Clinic) -> datetime:
    """Return the deadline to move or cancel the visit online: its start while `is_asked_to_move`."""
    if is_asked_to_move(appointment):
        return appointment.starts_at
    return change_deadline(starts_at=appointment.starts_at, booked_at=appointment.created_at, clinic=clinic)


def is_asked_to_move(appointment: Appointment) -> bool:
    """Whether the patient is to choose another time: the clinic asked them to, and cannot keep the present one.

    It ends when the time is no longer blocked, when staff accept the visit in blocked time, and when the visit moves to
    another time or therapist, also if it returns later (a move that is undone does not count). For a canceled visit: as
    it was then, so that a late fee does not depend on what happens to the block later. At most two queries.
    """
    if appointment.status == Appointment.Status.CANCELLED:
        canceled = appointment.events.filter(kind=AppointmentEvent.Kind.CANCELLED).last()
        return canceled is not None and WAS_ASKED in (canceled.cleared or {})
    is_kept = OffScheduleBecause.CLOSED in appointment.off_schedule_accepted
    return not is_kept and _was_asked_here(appointment) and is_in_blocked_time(appointment)


def is_in_blocked_time(appointment: Appointment) -> bool:
    """Whether a closure of the visit's therapist, or of all therapists, overlaps the visit. One query."""
    return HoursOverride.objects.closing(appointment.interval, therapist_id=appointment.therapist_id).exists()


def _was_asked_here(appointment: Appointment) -> bool:
    """Whether the patient was asked to leave the current time and therapist, and the visit has not left them since."""
    asked = AppointmentEvent.Kind.ASKED_TO_MOVE
    here, is_asked, left = (appointment.starts_at, appointment.therapist_id), False, None
    for event in appointment.events.filter(kind__in=(asked, AppointmentEvent.Kind.MOVED)):
        is_here = (event.starts_at, event.therapist_id) == here
        if event.kind == asked:
            is_asked, left = is_here, None
        elif left is not None:
            is_asked, left = is_asked and is_here and _is_undone(left, by=event), None
        elif not is_here:
            left = event
    return is_asked and left is None


def _is_undone(move: AppointmentEvent, *, by: AppointmentEvent) -> bool:
    """Whether the move back (`by`) came within `UNDO_FOR`, both by the patient or both by staff."""
    return by.at < move.at + UNDO_FOR and (by.by_id is None) == (move.by_id is None)


def allowed_minutes(appointment: Appointment) -> list[int]:
    """Return the lengths that staff may choose for the visit: its own, its service's, and that service's others."""
    service = appointment.service
    return sorted({appointment.minutes, service.minutes, *service.other_minutes})


def require_free(
    *,
    slot: Slot,
    mode: str,
    now: datetime,
    clinic: Clinic,
    in_place_of: Appointment | None = None,
    minutes: int | None = None,
    patient: Patient | None = None,
    by_staff: bool = False,
    despite_rules: Collection[Because] = (),
    waived: Collection[Because] = (),
) -> list[Because]:
    """Check the booking rules for a time, and that no other visit or live hold overlaps it.

    With `patient`, the rules include that the patient has no other visit at that time. Pass `patient` only if the
    reader may know of their visits, and under `lock_patient`. `in_place_of` is the visit to be moved or the hold to be
    booked. Its own time counts as free, and it keeps its length unless `minutes` is given. Notice and horizon are not
    checked for another length at the same time with the same therapist.

    `by_staff` replaces the minimum notice by "not in the past": the notice protects the therapist from visitors, and
    staff who book today know the day. `despite_rules` are the rules that staff were shown and override. `waived` are
    rules that do not apply because staff offered the time.

    Return the broken rules that were overridden. Raises SlotTaken on an overlap, whatever the rules say, or
    SlotNotOffered with all broken rules if `despite_rules` lacks one of them, or for an inactive therapist. The result
    is valid while the caller has the therapist's schedule locked.
    """
    service, starts_at = slot.service, slot.starts_at
    shape = in_place_of.shape_of(service) if in_place_of else service.shape
    broken = _broken_by_the_service(service, mode, in_place_of)
    if minutes is not None:
        shape = replace(shape, minutes=minutes)
    if not (minutes and in_place_of and _is_at(in_place_of, slot)):
        broken += _broken_by_the_date(service, starts_at, clinic, now, by_staff=by_staff)
    schedule, is_theirs = _schedule_of_the_day(slot, clinic=clinic, in_place_of=in_place_of, now=now)
    if schedule is None or not is_theirs:
        broken.append(Because.SERVICE)
    if schedule is not None:
        blocked = shape.blocked(starts_at)
        if any(blocked.overlaps(other) for other in schedule.blocked):
            raise SlotTaken
        broken += _broken_in_the_schedule(schedule, service, shape, starts_at, clinic)
    own_visit = _own_visit_then(patient, shape, starts_at, in_place_of)
    if own_visit is not None:
        broken.append(Because.OWN_VISIT)
    broken = [reason for reason in broken if reason not in waived]
    if schedule is None or not set(broken) <= set(despite_rules):
        raise SlotNotOffered(*dict.fromkeys(broken), own_visit=own_visit)
    return broken


def lock_patient(patient_id: uuid.UUID) -> None:
    """Lock the patient's row until the transaction ends, for changes of their visits and wait list entries.

    To prevent deadlocks, locks are taken in this order everywhere: schedules (`locked_schedules`), patients by pk,
    visits by pk (`history.lock_appointment` locks a visit's patient and the visit), wait list entries. `accept_patient`,
    `merge_patients` and `erase_patient` lock in the same order.
    """
    Patient.objects.select_for_update(no_key=True).get(pk=patient_id)


def lock_patients(visits: QuerySet[Appointment]) -> None:
    """Lock the patients of `visits` like `lock_patient`. Call it before the visits are locked."""
    patients = Patient.objects.filter(pk__in=visits.order_by().values("patient"))
    list(patients.order_by("pk").select_for_update(no_key=True).values_list("pk"))


def require_no_own_visit(visit: Appointment) -> None:
    """Raise SlotNotOffered if the patient of `visit` has another booked visit at its time."""
    if other := _other_visit_of(visit.patient_id, visit.interval, visit):
        raise SlotNotOffered(Because.OWN_VISIT, own_visit=other)


def find_visit_then(visit: Appointment, starts_at: datetime) -> Appointment | None:
    """Return another booked visit of the patient that `visit` would overlap if moved to `starts_at`; None if none."""
    return _own_visit_then(visit.patient, visit.shape_of(visit.service), starts_at, visit)


def _own_visit_then(
    patient: Patient | None, shape: VisitShape, starts_at: datetime, in_place_of: Appointment | None
) -> Appointment | None:
    interval = shape.visit(starts_at.astimezone(UTC))
    return None if patient is None else _other_visit_of(patient.pk, interval, in_place_of)


def _other_visit_of(
    patient_id: uuid.UUID | None, interval: Interval, besides: Appointment | None
) -> Appointment | None:
    visits = Appointment.objects.booked_within(interval).filter(patient=patient_id)
    visits = visits if besides is None else visits.exclude(pk=besides.pk)
    return visits.select_related("service", "therapist").first()


def require_untaken(*, slot: Slot, own: Q, now: datetime) -> None:
    """Raise SlotTaken if a booked visit or live hold that does not match `own` blocks the first minute of `slot`.

    This is a quick check in one query after a wait for the lock; `require_free` checks the whole length.
    """
    blocked = Interval(slot.starts_at, slot.starts_at + timedelta(minutes=1))
    if Appointment.objects.blocking(blocked, now=now).filter(therapist=slot.therapist).exclude(own).exists():
        raise SlotTaken


def require_time_free(
    appointment: Appointment, *, therapist: Therapist, starts_at: datetime, minutes: int | None = None, now: datetime
) -> None:
    """Raise SlotTaken if another visit or a live hold overlaps the time at which `appointment` is to be restored.

    It keeps its length unless `minutes` is given. The result is valid while the caller has the therapist's schedule
    locked.
    """
    shape = appointment.shape_of(appointment.service)
    blocked = replace(shape, minutes=minutes or shape.minutes).blocked(starts_at)
    others = Appointment.objects.blocking(blocked, now=now).filter(therapist=therapist)
    if others.exclude(pk=appointment.pk).exists():
        raise SlotTaken


def _is_at(appointment: Appointment, slot: Slot) -> bool:
    return (appointment.therapist_id, appointment.starts_at) == (slot.therapist.pk, slot.starts_at)


def _broken_by_the_service(service: Service, mode: str, in_place_of: Appointment | None) -> list[Because]:
    """Return [SERVICE] if the service cannot be booked in `mode`, else an empty list.

    A visit that is moved keeps its mode, even if the service no longer has it.
    """
    moved = in_place_of if in_place_of and in_place_of.status == Appointment.Status.BOOKED else None
    is_kept = moved is not None and (moved.service_id, moved.mode) == (service.pk, mode)
    return [] if service.is_bookable and (is_kept or mode in service.offered_modes) else [Because.SERVICE]


def is_short_notice(service: Service, starts_at: datetime, *, clinic: Clinic, now: datetime) -> bool:
    """Whether the start is ahead, but within the minimum notice of visitors."""
    return now < starts_at < bookable_time(service, clinic=clinic, now=now).earliest


def _broken_by_the_date(
    service: Service, starts_at: datetime, clinic: Clinic, now: datetime, *, by_staff: bool
) -> list[Because]:
    window = bookable_time(service, clinic=clinic, now=now)
    if starts_at <= now if by_staff else starts_at < window.earliest:
        return [Because.NOTICE]
    return [Because.HORIZON] if starts_at >= window.latest else []


def _schedule_of_the_day(
    slot: Slot, *, clinic: Clinic, in_place_of: Appointment | None, now: datetime
) -> tuple[Schedule | None, bool]:
    """Return the therapist's schedule on the day of `slot`, and whether the therapist offers the service.

    The schedule is None if the therapist is inactive.
    """
    read = partial(
        read_schedules,
        first_day=slot.starts_at.astimezone(clinic.zone).date(),
        days=1,
        therapist=slot.therapist,
        in_place_of=in_place_of,
        clinic=clinic,
        now=now,
    )
    if found := read(service=slot.service):
        return found[0], True
    found = read()
    return (found[0] if found else None), False


def _broken_in_the_schedule(
    schedule: Schedule, service: Service, shape: VisitShape, starts_at: datetime, clinic: Clinic
) -> list[Because]:
    broken = []
    if not _is_open(schedule.openings, schedule.closed, shape, starts_at):
        broken.append(
            Because.KEPT if _is_open(schedule.all_openings, schedule.closed, shape, starts_at) else Because.HOURS
        )
    if not starts_under_caps([starts_at], taken=schedule.counted, caps=service.caps, zone=clinic.zone):
        broken.append(Because.CAP)
    return broken


def _is_open(openings: list[Interval], closed: list[Interval], shape: VisitShape, starts_at: datetime) -> bool:
    end = starts_at + timedelta(seconds=1)
    return bool(
        offered_starts(openings=openings, closed=closed, blocked=[], shape=shape, earliest=starts_at, latest=end)
    )
