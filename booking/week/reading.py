"""Read what the calendar shows of some days: the schedules, their visits of every state, and the free time between."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db.models import QuerySet

from booking.models import Appointment, HoursOverride
from booking.schedule.schedules import Schedule, read_schedules_with_visits
from booking.time.holidays import holidays_between
from booking.time.intervals import Interval, intersect, subtract, union
from booking.time.opening_hours import day_interval, days_touching
from booking.wait_list.matches import Waiting, WaitList, read_wait_list
from booking.week.layout import Axis, Lane, Span, arrange_in_lanes, axis_of, window_of
from clinic.practice.models import Clinic, Therapist

SHORTEST_GAP_MINUTES = 15
GAP_STEP = timedelta(minutes=5)  # today's first gap begins at the next multiple of it

BASE = datetime(2000, 1, 1, tzinfo=UTC)

Status = Appointment.Status
# Whose preparation and turnover are drawn. A no-show or a canceled visit does not block time.
WITH_BUFFERS = (Status.HELD, Status.BOOKED, Status.COMPLETED)


@dataclass(frozen=True)
class Gap:
    """Free open time of one day, from now on, and those on the wait list for whom it has a time."""

    interval: Interval
    waiting: tuple[Waiting, ...]


@dataclass(frozen=True)
class Item:
    """A visit, a hold or a gap in its lane. `span` includes the drawn buffers, `visit_span` does not.

    `is_first`: it begins on this day, and not on the one before.
    """

    subject: Appointment | Gap
    span: Span
    visit_span: Span
    is_first: bool
    lane: Lane


@dataclass(frozen=True)
class Column:
    """One therapist's day."""

    therapist: Therapist
    opened: list[Span]  # offered online
    kept: list[Span]  # open, but not offered online
    closures: list[tuple[Span, HoursOverride]]
    items: list[Item]
    is_working: bool  # open at some time that is not closed

    @property
    def visits(self) -> list[Appointment]:
        """The visits and holds."""
        return [item.subject for item in self.items if isinstance(item.subject, Appointment)]

    @property
    def is_empty(self) -> bool:
        """Whether the therapist has neither hours nor visits on this day."""
        return not (self.opened or self.kept or self.visits)

    @property
    def spans(self) -> list[Span]:
        """What the window must contain. A closure outside the opening hours may be cut off."""
        return [*self.opened, *self.kept, *(item.span for item in self.items)]


@dataclass(frozen=True)
class CalendarDay:
    """One day with a column for each therapist."""

    day: date
    columns: list[Column]
    absent: list[Span]  # times that the day does not have
    holiday: str
    now: int | None  # the minute of now, if it is on this day

    @property
    def is_closed(self) -> bool:
        """Whether no therapist works and there is no visit."""
        return not any(column.is_working or column.visits for column in self.columns)


@dataclass(frozen=True)
class Calendar:
    """Some days on one axis."""

    axis: Axis
    window: Span
    days: list[CalendarDay]
    wait_list: WaitList


def visits_shown() -> QuerySet[Appointment]:
    """Return the visits with the columns that the calendar shows: of the patient, only the name."""
    columns = ("version", "status", "confirmed_at", "not_coming_at", "hold_expires_at", "mode")
    marks = ("here_at", "arrived_at", "started_at", "finished_at", "late_fee")
    keys = ("therapist_id", "patient_id", "service_id", "starts_at", "ends_at", "blocked")
    return Appointment.objects.only(*columns, *marks, *keys).with_names()


def read_calendar(
    *, first_day: date, days: int, therapist: Therapist | None = None, now: datetime, clinic: Clinic
) -> Calendar:
    """Read `days` days from `first_day`, of all therapists or of one. A constant number of queries."""
    schedules = read_schedules_with_visits(
        first_day=first_day, days=days, now=now, clinic=clinic, therapist=therapist, visits=visits_shown()
    )
    wait_list = read_wait_list(now=now, clinic=clinic)
    axis = axis_of(first_day, days, clinic.zone)
    holidays = {holiday.on: holiday.name for holiday in holidays_between(first_day, first_day + timedelta(days=days))}
    gaps = {schedule.therapist.pk: _gaps(schedule, wait_list, now, clinic) for schedule in schedules}
    shown = [
        CalendarDay(
            day=day,
            columns=[_column(schedule, day, axis, gaps[schedule.therapist.pk]) for schedule in schedules],
            absent=axis.absent(day),
            holiday=holidays.get(day, ""),
            now=axis.minute(now, day) if now.astimezone(clinic.zone).date() == day else None,
        )
        for day in (first_day + timedelta(days=number) for number in range(days))
    ]
    spans = [span for day in shown for column in day.columns for span in column.spans]
    return Calendar(axis, window_of(spans, axis), shown, wait_list)


def open_time(schedule: Schedule) -> list[Interval]:
    """Return when the therapist works. An inactive therapist, who is shown for their visits, does not."""
    return schedule.open_time if schedule.therapist.is_active else []


def _gaps(schedule: Schedule, wait_list: WaitList, now: datetime, clinic: Clinic) -> list[Gap]:
    """Return the gaps of at least SHORTEST_GAP_MINUTES. None extends into another day."""
    begin = now.astimezone(UTC)
    begin += (BASE - begin) % GAP_STEP
    free = subtract(open_time(schedule), [*schedule.blocked, Interval(BASE, max(begin, BASE + GAP_STEP))])
    long = [one for whole in free for one in _by_day(whole, clinic) if one.minutes >= SHORTEST_GAP_MINUTES]
    starts = wait_list.starts_in(schedule, earliest=begin)
    return [Gap(one, tuple(wait_list.matching(one, schedule.therapist, starts, clinic))) for one in long]


def _by_day(interval: Interval, clinic: Clinic) -> list[Interval]:
    """Return the parts of `interval`, one for each local day."""
    first, days = days_touching(interval, clinic.zone)
    whole_days = [day_interval(first + timedelta(days=number), 1, clinic.zone) for number in range(days)]
    return [Interval(max(interval.start, day.start), min(interval.end, day.end)) for day in whole_days]


def _column(schedule: Schedule, day: date, axis: Axis, gaps: Sequence[Gap]) -> Column:
    is_active = schedule.therapist.is_active
    whole_day = day_interval(day, 1, axis.zone)
    subjects = _subjects(schedule, gaps, whole_day)
    placed = [
        (subject, span, visit_span, inner.start >= whole_day.start)
        for subject, outer, inner in subjects
        if (span := axis.span(outer, day)) and (visit_span := axis.span(inner, day) or span)
    ]
    placed.sort(key=lambda one: one[1].first)
    lanes = arrange_in_lanes([span for _, span, *_ in placed])
    closures = [(span, one) for one in schedule.closures if (span := axis.span(one.interval, day))]
    return Column(
        therapist=schedule.therapist,
        opened=_spans(schedule.openings, day, axis) if is_active else [],
        kept=_spans(schedule.kept, day, axis) if is_active else [],
        closures=closures,
        items=[Item(*one, lane) for one, lane in zip(placed, lanes, strict=True)],
        is_working=bool(intersect(open_time(schedule), [whole_day])),
    )


def _subjects(
    schedule: Schedule, gaps: Sequence[Gap], whole_day: Interval
) -> list[tuple[Appointment | Gap, Interval, Interval]]:
    """Return the visits and gaps that touch the day, each with its time with and without buffers.

    Visits that block time come first, so that they are the leftmost of what begins together.
    """
    found: list[tuple[Appointment | Gap, Interval, Interval]] = []
    found += [(visit, _drawn(visit), visit.interval) for visit in sorted(schedule.visits, key=_is_over)]
    found += [(gap, gap.interval, gap.interval) for gap in gaps]
    return [one for one in found if one[1].overlaps(whole_day)]


def _is_over(visit: Appointment) -> bool:
    return visit.status not in (Status.HELD, Status.BOOKED)


def _drawn(visit: Appointment) -> Interval:
    is_with_buffers = visit.status in WITH_BUFFERS
    return Interval(visit.blocked.lower, visit.blocked.upper) if is_with_buffers else visit.interval


def _spans(intervals: Sequence[Interval], day: date, axis: Axis) -> list[Span]:
    return [span for one in union(intervals) if (span := axis.span(one, day))]
