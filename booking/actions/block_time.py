"""Blocking time in which nobody shall book."""

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
    """Close the stretch from `starts_at` to `ends_at` for a therapist, or for everybody with None.

    Raises VisitsInTheWay, with the visits that stand in it, unless `despite_visits`: they stay booked, and somebody has
    to call those people. The diaries are locked, so that none can be booked between the look and the closing.
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
    """The visits that stand in a stretch, of a therapist or of everybody, with their patients."""
    stretch = Interval(starts_at.astimezone(UTC), ends_at.astimezone(UTC))
    visits = Appointment.objects.booked_within(stretch).select_related("patient", "service")
    if therapist is not None:
        visits = visits.filter(therapist=therapist)
    return list(visits)


@dataclass(frozen=True)
class HolidayRow:
    """A holiday as the clinic stands to it."""

    holiday: Holiday
    day: Interval  # from midnight to midnight by the clinic's clock
    is_closed: bool
    visits: list[Appointment]


def holiday_rows(*, first_day: date, zone: ZoneInfo, days: int = 365) -> list[HolidayRow]:
    """The federal holidays of the `days` from `first_day`: whether everybody is off already, and who is booked."""
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
    """Close for everybody on the holiday; None where that was done before. Raises VisitsInTheWay as `block_time`."""
    if row.is_closed:
        return None
    day, name = row.day, row.holiday.name
    return block_time(
        therapist=None, starts_at=day.start, ends_at=day.end, note=name, despite_visits=despite_visits, by=by
    )
