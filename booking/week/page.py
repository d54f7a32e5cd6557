"""The context of the calendar's week and day: columns with their background, blocks and texts."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from booking.models import Appointment, HoursOverride
from booking.time.intervals import Interval
from booking.time.opening_hours import day_interval
from booking.week.addresses import Asked, View
from booking.week.blocks import Blocks, GapBlock, Place, Rights, VisitBlock, length_css, visit_address
from booking.week.layout import Axis, Mark, Span
from booking.week.reading import Calendar, CalendarDay, Column, Gap, read_calendar
from clinic.practice.models import Clinic, Therapist, User
from clinic.practice.values.dates import format_hour, format_hours, format_short_day

COUNTED = (Appointment.Status.BOOKED, Appointment.Status.COMPLETED, Appointment.Status.NO_SHOW)
LONG_MINUTES = 30  # a closure with room for its note


@dataclass(frozen=True)
class HourLine:
    """A full hour at the left edge."""

    place: Place
    label: str


@dataclass(frozen=True)
class ClosedBlock:
    """Blocked time in a column."""

    place: Place
    text: str
    is_short: bool


@dataclass(frozen=True)
class ShownColumn:
    """One therapist's day."""

    therapist: Therapist
    opened: list[Place]
    kept: list[Place]
    closures: list[ClosedBlock]
    blocks: list[VisitBlock | GapBlock]
    count: int  # of visits, without holds and canceled ones
    is_empty: bool


@dataclass(frozen=True)
class ShownDay:
    """One day. `columns` are those of therapists who work or have visits; all of them if only one day is shown."""

    heading: str
    iso: str
    address: str
    columns: list[ShownColumn]
    absent: list[Place]
    now: Place | None
    is_today: bool
    is_closed: bool
    note: str  # why it is closed, or the holiday

    @property
    def count(self) -> int:
        """The number of visits."""
        return sum(column.count for column in self.columns)


@dataclass(frozen=True)
class Shown:
    """What a page shows, and whom it shows."""

    days: list[ShownDay]
    hours: list[HourLine]
    length: str  # classes for the length of each column
    window: Span
    axis: Axis
    has_several: bool  # therapists beside each other on some day
    patient_ids: set[UUID]

    @property
    def has_no_one(self) -> bool:
        """Whether there is no therapist to show."""
        return not any(day.columns for day in self.days)

    @property
    def count(self) -> int:
        """The number of visits."""
        return sum(day.count for day in self.days)


def show_days(asked: Asked, *, by: User, now: datetime, clinic: Clinic) -> Shown:
    """Read a week or a day, and return what its page shows to `by`."""
    calendar = read_calendar(
        first_day=asked.first_day, days=asked.days, therapist=asked.therapist, now=now, clinic=clinic
    )
    rights = Rights.of(by)
    blocks = Blocks(calendar.window, clinic, by, rights, now, visit_address(asked.own), asked.own)
    days = [_shown_day(day, asked, calendar, blocks) for day in calendar.days]
    return Shown(
        days=days,
        hours=[_hour_line(mark, calendar.window) for mark in calendar.axis.marks(calendar.window)],
        length=length_css(calendar.window.minutes),
        window=calendar.window,
        axis=calendar.axis,
        has_several=any(len(day.columns) > 1 for day in days),
        patient_ids=_patients_on(calendar, rights),
    )


def _shown_day(day: CalendarDay, asked: Asked, calendar: Calendar, blocks: Blocks) -> ShownDay:
    shown = [column for column in day.columns if asked.view == View.DAY or not column.is_empty] or day.columns[:1]
    is_now_shown = day.now is not None and calendar.window.first <= day.now < calendar.window.last
    return ShownDay(
        heading=format_short_day(day.day, today=asked.today),
        iso=day.day.isoformat(),
        address=asked.address(view=View.DAY, day=day.day),
        columns=[_shown_column(column, day, calendar, blocks) for column in shown],
        absent=_places(day.absent, calendar.window),
        now=Place.of(Span(day.now, day.now + 1), calendar.window) if is_now_shown and day.now is not None else None,
        is_today=day.day == asked.today,
        is_closed=day.is_closed,
        note=day.holiday,
    )


def _shown_column(column: Column, day: CalendarDay, calendar: Calendar, blocks: Blocks) -> ShownColumn:
    whole_day = day_interval(day.day, 1, calendar.axis.zone)
    shown = [block for one in column.closures if (block := _closed_block(*one, whole_day, calendar, blocks))]
    return ShownColumn(
        therapist=column.therapist,
        opened=_places(column.opened, calendar.window),
        kept=_places(column.kept, calendar.window),
        closures=shown,
        blocks=[blocks.block_of(item, column.therapist) for item in column.items],
        count=sum(visit.status in COUNTED for visit in column.visits),
        is_empty=column.is_empty,
    )


def _closed_block(
    span: Span, closure: HoursOverride, whole_day: Interval, calendar: Calendar, blocks: Blocks
) -> ClosedBlock | None:
    if not span.overlaps(calendar.window):
        return None
    start, end = max(closure.starts_at, whole_day.start), min(closure.ends_at, whole_day.end)
    is_all_day = (start, end) == (whole_day.start, whole_day.end)
    clocks = (instant.astimezone(calendar.axis.zone).time() for instant in (start, end))
    times = "all day" if is_all_day else format_hours(*clocks)
    note = f": {closure.note}" if closure.note and blocks.rights.sees_notes else ""
    return ClosedBlock(Place.of(span, calendar.window), f"Blocked {times}{note}", span.minutes < LONG_MINUTES)


def _places(spans: list[Span], window: Span) -> list[Place]:
    return [Place.of(span, window) for span in spans if span.overlaps(window)]


def _hour_line(mark: Mark, window: Span) -> HourLine:
    label = f"{format_hour(mark.hour)} again" if mark.is_repeated else format_hour(mark.hour)
    return HourLine(Place.of(Span(mark.minute, mark.minute + 1), window), label)


def _patients_on(calendar: Calendar, rights: Rights) -> set[UUID]:
    """Return the patients whose names are on the page."""
    items = [item for day in calendar.days for column in day.columns for item in column.items]
    visits = {one.subject.patient_id for one in items if isinstance(one.subject, Appointment)}
    gaps = [one.subject for one in items if isinstance(one.subject, Gap)] if rights.sees_waiting else []
    return {pk for pk in visits if pk is not None} | {one.entry.patient_id for gap in gaps for one in gap.waiting}
