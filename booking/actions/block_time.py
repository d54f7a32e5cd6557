"""Block time: closures for one therapist or all, and federal holidays."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from booking.models import Appointment, HoursOverride
from booking.schedule.errors import VisitsInTheWay
from booking.schedule.locking import locked_schedules
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
    by: User,
) -> HoursOverride:
    """Create a closure from `starts_at` to `ends_at` for `therapist`, or for all therapists if None.

    Raises VisitsInTheWay with the visits booked in that time, unless `despite_visits` is set. With `despite_visits`
    the visits remain booked, and staff have to call the patients. The schedules are locked, so that no visit is booked
    between the check and the insert. Raises BusyTryAgain on a lock timeout or a deadlock.
    """
    concerned = [therapist] if therapist is not None else list(Therapist.objects.active())
    with locked_schedules(one.pk for one in concerned):
        visits = visits_between(therapist=therapist, starts_at=starts_at, ends_at=ends_at)
        if visits and not despite_visits:
            raise VisitsInTheWay(visits)
        return HoursOverride.objects.create(
            kind=HoursOverride.Kind.CLOSURE,
            therapist=therapist,
            starts_at=starts_at,
            ends_at=ends_at,
            note=note,
            created_by=by,
        )


def visits_between(*, therapist: Therapist | None, starts_at: datetime, ends_at: datetime) -> list[Appointment]:
    """Return the booked visits of `therapist`, or of all therapists if None, that overlap the given time.

    Their patients and services are loaded.
    """
    stretch = Interval(starts_at.astimezone(UTC), ends_at.astimezone(UTC))
    visits = Appointment.objects.booked_within(stretch).select_related("patient", "service")
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
