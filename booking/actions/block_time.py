"""Block time: closures for one therapist or all, and federal holidays. Ask patients who are booked then to move."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from booking.messages.planning import plan_request_to_move
from booking.models import Appointment, AppointmentEvent, HoursOverride, Service
from booking.schedule.errors import (
    NotMovedOnline,
    OffScheduleBecause,
    TimeNotBlocked,
    TooLateToChange,
    VisitsInTheWay,
)
from booking.schedule.history import lock_appointment, record_event, require_version
from booking.schedule.locking import locked_schedules, row_locks
from booking.schedule.rules import is_in_blocked_time, lock_patients
from booking.time.holidays import Holiday, holidays_between
from booking.time.intervals import Interval
from booking.time.opening_hours import day_interval
from clinic.practice.models import Therapist, User


def block_time(
    *,
    therapist: Therapist | None,
    starts_at: datetime,
    ends_at: datetime,
    note: str = "",
    despite_visits: bool = False,
    seen: Collection[UUID] | None = None,
    by: User,
) -> HoursOverride:
    """Create a closure from `starts_at` to `ends_at` for `therapist`, or for all therapists if None.

    Raises VisitsInTheWay with the visits booked in that time, unless `despite_visits` is set; with it, still for a
    visit that is not among those that staff have `seen`, if given. The visits remain booked, and staff have to call the
    patients. The schedules are locked, so that no visit is booked between the check and the insert. Raises BusyTryAgain
    on a lock timeout or a deadlock.
    """
    with locked_schedules(_concerned(therapist)):
        visits = visits_between(therapist=therapist, starts_at=starts_at, ends_at=ends_at)
        if any(not despite_visits or (seen is not None and visit.pk not in seen) for visit in visits):
            raise VisitsInTheWay(visits)
        return HoursOverride.objects.create(
            kind=HoursOverride.Kind.CLOSURE,
            therapist=therapist,
            starts_at=starts_at,
            ends_at=ends_at,
            note=note,
            created_by=by,
        )


def block_time_and_ask(
    *,
    therapist: Therapist | None,
    starts_at: datetime,
    ends_at: datetime,
    note: str = "",
    seen: Collection[UUID],
    asks: Mapping[UUID, str],
    by: User,
    now: datetime,
) -> HoursOverride:
    """Block time like `block_time` with `despite_visits`, and ask patients who are booked then to choose another time.

    `asks` are the visits of these patients: their keys, each with the visit's `shown` on the page that sent the
    request. Raises VisitsInTheWay for a visit that staff have not `seen`, and the errors of `ask_to_move`, in which case
    nothing was written.
    """
    with locked_schedules(_concerned(therapist)):
        closure = block_time(
            therapist=therapist, starts_at=starts_at, ends_at=ends_at, note=note, despite_visits=True, seen=seen, by=by
        )
        visits = Appointment.objects.filter(pk__in=asks).order_by("pk")
        lock_patients(visits)
        for visit in visits:
            ask_to_move(appointment=visit, version=asks[visit.pk], by=by, now=now)
        return closure


def _concerned(therapist: Therapist | None) -> list[UUID]:
    return [therapist.pk] if therapist else [one.pk for one in Therapist.objects.active()]


@row_locks()
def ask_to_move(*, appointment: Appointment, version: int | str | None = None, by: User, now: datetime) -> Appointment:
    """Ask the patient to choose another time online, until the visit's start. Once for a version of the visit.

    The visit stays booked. If staff had accepted it in blocked time, they no longer do. Raises VisitChanged,
    TooLateToChange unless the visit is booked, ahead and not marked as arrived, TimeNotBlocked, NotMovedOnline if its
    service is not booked online, or BusyTryAgain.
    """
    appointment = lock_appointment(appointment)
    require_version(appointment, version)
    if not appointment.is_ahead(now) or appointment.arrived_at:
        raise TooLateToChange
    if not appointment.service.is_booked_online:
        raise NotMovedOnline
    if not is_in_blocked_time(appointment):
        raise TimeNotBlocked
    if OffScheduleBecause.CLOSED in appointment.off_schedule_accepted:
        appointment.off_schedule_accepted.remove(OffScheduleBecause.CLOSED)
        appointment.save(update_fields=["off_schedule_accepted"])
    asked = AppointmentEvent.Kind.ASKED_TO_MOVE
    if not appointment.events.filter(kind=asked, version=appointment.version).exists():
        record_event(appointment, asked, by=by, now=now)
        plan_request_to_move(appointment, now=now)
    return appointment


def may_ask_to_move(appointment: Appointment, *, now: datetime) -> bool:
    """Whether `ask_to_move` would ask the patient now: it is possible, and they were not asked about this version."""
    return is_in_blocked_time(appointment) and appointment in askable_visits([appointment], now=now)


def askable_visits(visits: Sequence[Appointment], *, now: datetime) -> list[Appointment]:
    """Return those of `visits` for which `may_ask_to_move` is true once their time is blocked. Two queries."""
    online = set(Service.objects.booked_online().filter(pk__in={visit.service_id for visit in visits}))
    events = AppointmentEvent.objects.filter(kind=AppointmentEvent.Kind.ASKED_TO_MOVE, appointment__in=visits)
    asked = set(events.values_list("appointment", "version"))
    return [
        visit
        for visit in visits
        if visit.is_ahead(now)
        and not visit.arrived_at
        and visit.service in online
        and (visit.pk, visit.version) not in asked
    ]


def visits_between(*, therapist: Therapist | None, starts_at: datetime, ends_at: datetime) -> list[Appointment]:
    """Return the booked visits of `therapist`, or of all therapists if None, that overlap the given time.

    Their patients, services and therapists are loaded.
    """
    stretch = Interval(starts_at.astimezone(UTC), ends_at.astimezone(UTC))
    visits = Appointment.objects.booked_within(stretch).select_related("patient", "service", "therapist")
    if therapist is not None:
        visits = visits.filter(therapist=therapist)
    return list(visits)


@dataclass(frozen=True)
class HolidayRow:
    """A holiday, whether one closure for all therapists covers the whole day, and the visits booked on it."""

    holiday: Holiday
    day: Interval  # from midnight to midnight in the clinic's zone
    is_closed: bool
    visits: list[Appointment]


def holiday_rows(*, first_day: date, zone: ZoneInfo, days: int = 365) -> list[HolidayRow]:
    """Return the federal holidays in `days` days from `first_day`, each with its closure and visits."""
    stretch = day_interval(first_day, days, zone)
    closures = HoursOverride.objects.touching(stretch).filter(kind=HoursOverride.Kind.CLOSURE, therapist=None)
    closed = [closure.interval for closure in closures]
    visits = visits_between(therapist=None, starts_at=stretch.start, ends_at=stretch.end)
    return [
        HolidayRow(
            holiday=holiday,
            day=day,
            is_closed=any(one.start <= day.start and day.end <= one.end for one in closed),
            visits=[visit for visit in visits if visit.interval.overlaps(day)],
        )
        for holiday in holidays_between(first_day, first_day + timedelta(days=days - 1))
        for day in [day_interval(holiday.on, 1, zone)]
    ]


def close_on_holiday(row: HolidayRow, *, despite_visits: bool, by: User) -> HoursOverride | None:
    """Create a closure for all therapists on the holiday. Return None if the day is closed already.

    Raises VisitsInTheWay and BusyTryAgain like `block_time`.
    """
    if row.is_closed:
        return None
    day, name = row.day, row.holiday.name
    return block_time(
        therapist=None, starts_at=day.start, ends_at=day.end, note=name, despite_visits=despite_visits, by=by
    )
