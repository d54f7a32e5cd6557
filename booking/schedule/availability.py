"""Find free times. Three queries for any number of days, therapists and bookings; one more without `clinic`.

Instants are in UTC; days are those of `zone`, by default the clinic's.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from booking.models import Appointment, Service
from booking.schedule.rules import bookable_time
from booking.schedule.schedules import read_schedules
from booking.time.intervals import Interval, starts_beside
from booking.time.opening_hours import day_interval, days_touching
from clinic.practice.models import Clinic, Patient, Therapist


@dataclass(frozen=True, order=True)
class FreeSlot:
    """A free time and its therapist. Sorts by time; of slots at the same time, isolated ones come last."""

    starts_at: datetime
    is_isolated: bool  # not adjacent to another visit or hold; always False unless the service prefers no gaps
    position: int  # of the therapist among those of the service; lower is preferred
    therapist: Therapist = field(compare=False)
    minutes: int = field(compare=False)

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=self.minutes)

    @property
    def interval(self) -> Interval:
        return Interval(self.starts_at, self.ends_at)


def free_slots(
    *,
    service: Service,
    first_day: date,
    days: int,
    now: datetime,
    therapist: Therapist | None = None,
    clinic: Clinic | None = None,
    zone: ZoneInfo | None = None,
    in_place_of: Appointment | None = None,
    patient: Patient | None = None,
) -> list[FreeSlot]:
    """Return the sorted free slots in `days` days from `first_day`, of `therapist` or of all therapists of the service.

    Empty if the service is not bookable online. When moving a visit, pass it as `in_place_of`: its own time counts as
    free, and it keeps its length. Times at which `patient` has another visit are omitted (one more query). Pass
    `patient` only if the reader may know of their visits.
    """
    clinic = clinic or Clinic.objects.current()
    if not service.is_bookable or days <= 0:
        return []
    window = bookable_time(service, clinic=clinic, now=now)
    asked = day_interval(first_day, days, zone or clinic.zone)
    first_day, days = days_touching(asked, clinic.zone)
    earliest, latest = max(window.earliest, asked.start), min(window.latest, asked.end)
    schedules = read_schedules(
        first_day=first_day,
        days=days,
        now=now,
        clinic=clinic,
        service=service,
        therapist=therapist,
        in_place_of=in_place_of,
    )
    shape = in_place_of.shape_of(service) if in_place_of else service.shape
    slots = []
    for place, schedule in enumerate(schedules):
        starts = schedule.offered(service, shape=shape, clinic=clinic, earliest=earliest, latest=latest)
        beside = set(starts)
        if service.prefers_no_gaps:
            beside = starts_beside(starts, blocked=schedule.blocked, shape=shape)
        slots += [FreeSlot(start, start not in beside, place, schedule.therapist, shape.minutes) for start in starts]
    return sorted(slots if patient is None else _apart_from_visits(slots, patient, asked, in_place_of))


def _apart_from_visits(
    slots: list[FreeSlot], patient: Patient, asked: Interval, in_place_of: Appointment | None
) -> list[FreeSlot]:
    around = Interval(asked.start, asked.end + timedelta(days=1))  # the last visit may end after the requested days
    visits = Appointment.objects.booked_within(around).filter(patient=patient)
    visits = visits if in_place_of is None else visits.exclude(pk=in_place_of.pk)
    taken = [visit.interval for visit in visits]
    return [slot for slot in slots if not any(slot.interval.overlaps(one) for one in taken)]


def count_days(slots: Iterable[FreeSlot], zone: ZoneInfo) -> dict[date, int]:
    """Return the number of start times by local day in `zone`, sorted. Days without any are omitted.

    Two therapists who are free at the same time count once.
    """
    starts = sorted({slot.starts_at for slot in slots})
    return dict(Counter(start.astimezone(zone).date() for start in starts))


def next_free_slots(
    *,
    service: Service,
    limit: int | None,
    now: datetime,
    therapist: Therapist | None = None,
    clinic: Clinic | None = None,
    zone: ZoneInfo | None = None,
    first_day: date | None = None,
    patient: Patient | None = None,
) -> list[FreeSlot]:
    """Return the first `limit` free slots (None: all) up to the horizon, one for each start time.

    The search begins at the earliest bookable time, or on `first_day` if that is later.
    """
    clinic = clinic or Clinic.objects.current()
    window = bookable_time(service, clinic=clinic, now=now)
    zone = zone or clinic.zone
    soonest = window.earliest.astimezone(zone).date()
    first_day = max(first_day or soonest, soonest)
    days = (window.last_day(zone) - first_day).days + 1
    slots = free_slots(
        service=service,
        first_day=first_day,
        days=days,
        now=now,
        therapist=therapist,
        clinic=clinic,
        zone=zone,
        patient=patient,
    )
    return one_slot_a_time(slots)[:limit]


def nearest_free_slots(
    *,
    service: Service,
    to: datetime,
    limit: int,
    now: datetime,
    clinic: Clinic,
    patient: Patient | None = None,
    within_days: int = 14,
) -> list[FreeSlot]:
    """Return the `limit` free slots nearest to `to`, sorted, one for each start time.

    They are at most `within_days` before or after `to`.
    """
    first_day = to.astimezone(clinic.zone).date() - timedelta(days=within_days)
    days = 2 * within_days + 1
    slots = free_slots(service=service, first_day=first_day, days=days, now=now, clinic=clinic, patient=patient)
    return sorted(sorted(one_slot_a_time(slots), key=lambda slot: abs(slot.starts_at - to))[:limit])


def one_slot_a_time(slots: Iterable[FreeSlot]) -> list[FreeSlot]:
    """Return the first of the sorted slots for each start time."""
    found: dict[datetime, FreeSlot] = {}
    for slot in slots:
        found.setdefault(slot.starts_at, slot)
    return list(found.values())
