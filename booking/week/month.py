"""The month at a glance: for each day the number of visits, missed visits and free hours."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count
from django.db.models.functions import TruncDate

from booking.models import Appointment
from booking.schedule.schedules import Schedule, read_schedules
from booking.time.holidays import holidays_between
from booking.time.intervals import Interval, intersect, subtract
from booking.time.opening_hours import day_interval
from booking.week.addresses import DAYS_OF_WEEK, Asked, View
from booking.week.reading import open_time
from clinic.practice.models import Clinic
from clinic.practice.values.dates import format_day

Status = Appointment.Status
COUNTED = (Status.BOOKED, Status.COMPLETED)


@dataclass(frozen=True)
class MonthDay:
    """A day of the month, or of the month before or after."""

    day: date
    label: str
    address: str
    visits: int
    missed: int
    free_minutes: int  # open, not over, and not blocked; of all therapists together
    is_closed: bool
    is_today: bool
    is_of_month: bool
    holiday: str

    @property
    def free_hours(self) -> int:
        """The free time in hours, rounded down."""
        return self.free_minutes // 60


def show_month(asked: Asked, *, now: datetime, clinic: Clinic) -> list[list[MonthDay]]:
    """Return the whole weeks of the month, from Monday. Four queries."""
    first = asked.first_day - timedelta(days=asked.first_day.weekday())
    last = asked.last_day + timedelta(days=DAYS_OF_WEEK - 1 - asked.last_day.weekday())
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    schedules = read_schedules(first_day=first, days=len(days), now=now, clinic=clinic, therapist=asked.therapist)
    counts = _counts(asked, day_interval(first, len(days), clinic.zone), clinic)
    holidays = {holiday.on: holiday.name for holiday in holidays_between(first, last)}
    shown = [
        MonthDay(
            day=day,
            label=format_day(day, today=asked.today),
            address=asked.address(view=View.DAY, day=day),
            visits=sum(counts[day, status] for status in COUNTED),
            missed=counts[day, Status.NO_SHOW],
            free_minutes=sum(_free_minutes(one, day, now, clinic) for one in schedules),
            is_closed=not any(_open_on(one, day, clinic) for one in schedules),
            is_today=day == asked.today,
            is_of_month=day.month == asked.first_day.month,
            holiday=holidays.get(day, ""),
        )
        for day in days
    ]
    return [shown[number : number + DAYS_OF_WEEK] for number in range(0, len(shown), DAYS_OF_WEEK)]


def _counts(asked: Asked, stretch: Interval, clinic: Clinic) -> Counter[tuple[date, str]]:
    """Count the visits by local day and status."""
    visits = Appointment.objects.filter(starts_at__gte=stretch.start, starts_at__lt=stretch.end)
    if asked.therapist is not None:
        visits = visits.filter(therapist=asked.therapist)
    rows = visits.order_by().values_list(TruncDate("starts_at", tzinfo=clinic.zone), "status").annotate(Count("pk"))
    return Counter({(day, status): number for day, status, number in rows})


def _open_on(schedule: Schedule, day: date, clinic: Clinic) -> list[Interval]:
    return intersect(open_time(schedule), [day_interval(day, 1, clinic.zone)])


def _free_minutes(schedule: Schedule, day: date, now: datetime, clinic: Clinic) -> int:
    free = subtract(_open_on(schedule, day, clinic), schedule.blocked)
    return sum(one.minutes if one.start >= now else max(0, int((one.end - now).total_seconds()) // 60) for one in free)
