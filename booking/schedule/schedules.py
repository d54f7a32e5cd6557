"""The schedules of therapists, read from the database as intervals.

Three queries for any number of days, therapists and bookings: therapists with their weekly hours, overrides, visits.
`read_schedules` reads of the visits only what blocks time; `read_schedules_with_visits` reads their rows, for staff.
Instants are in UTC; days are the clinic's.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from booking.models import Appointment, HoursOverride, Service
from booking.time.caps import monday_of, starts_under_caps
from booking.time.intervals import Interval, VisitShape, offered_starts, subtract
from booking.time.opening_hours import WeeklyHours, day_interval, online_openings
from clinic.practice.models import Clinic, Therapist


@dataclass
class Schedule:
    """One therapist's schedule for some days."""

    therapist: Therapist
    openings: list[Interval]  # offered online
    kept: list[Interval]  # open, but by phone only or reserved until the day before
    closed: list[Interval] = field(default_factory=list)
    blocked: list[Interval] = field(default_factory=list)
    counted: list[datetime] = field(default_factory=list)  # start times that count against the service's caps
    closures: list[HoursOverride] = field(default_factory=list)  # the rows of `closed`
    visits: list[Appointment] = field(default_factory=list)  # set only by `read_schedules_with_visits`

    @property
    def all_openings(self) -> list[Interval]:
        return self.openings + self.kept

    @property
    def open_time(self) -> list[Interval]:
        """When the therapist works: the opening hours, online or not, without closures."""
        return subtract(self.all_openings, self.closed)

    def offered(
        self, service: Service, *, shape: VisitShape, clinic: Clinic, earliest: datetime, latest: datetime
    ) -> list[datetime]:
        """Return the start times offered online for `service` in `shape`, in [earliest, latest)."""
        starts = offered_starts(
            openings=self.openings,
            closed=self.closed,
            blocked=self.blocked,
            shape=shape,
            earliest=earliest,
            latest=latest,
        )
        return starts_under_caps(starts, taken=self.counted, caps=service.caps, zone=clinic.zone)


def read_schedules(
    *,
    first_day: date,
    days: int,
    now: datetime,
    clinic: Clinic,
    service: Service | None = None,
    therapist: Therapist | None = None,
    in_place_of: Appointment | None = None,
) -> list[Schedule]:
    """Return the schedules of active therapists, in display order.

    With `service`, only therapists who offer it; with `therapist`, only that one. Each schedule includes one more day
    before and after, because buffers and extra hours may cross midnight. A day therefore has the same times however
    many days are read. The visit `in_place_of` is omitted.
    """
    therapists = Therapist.objects.active()
    if service is not None:
        therapists = therapists.filter(services=service)
    if therapist is not None:
        therapists = therapists.filter(pk=therapist.pk)
    schedules, stretch = _read_hours(therapists, first_day=first_day, days=days, now=now, clinic=clinic)
    taken = _taken(stretch, service=service, now=now, clinic=clinic).filter(therapist__in=therapists).order_by()
    if in_place_of is not None:
        taken = taken.exclude(pk=in_place_of.pk)
    service_id = None if service is None else service.pk
    for therapist_id, *visit in taken.values_list("therapist_id", "service_id", "starts_at", "blocked", "status"):
        if therapist_id in schedules:
            _add_visit(schedules[therapist_id], service_id, *visit)
    return list(schedules.values())


def read_schedules_with_visits(
    *,
    first_day: date,
    days: int,
    now: datetime,
    clinic: Clinic,
    therapist: Therapist | None = None,
    visits: QuerySet[Appointment],
) -> list[Schedule]:
    """Return the schedules with the rows of their visits, in display order. Three queries.

    `visits` says which rows and columns are read, for example those of canceled visits too; expired holds are omitted.
    They need `therapist_id`, `starts_at`, `blocked` and `status`. Inactive therapists are included if they have visits
    that are neither holds nor canceled. As in `read_schedules`, one more day before and after is read.
    """
    stretch = day_interval(first_day - timedelta(days=1), days + 2, clinic.zone)
    is_there = Q(starts_at__gte=stretch.start, starts_at__lt=stretch.end)
    is_expired = Q(status=Appointment.Status.HELD, hold_expires_at__lte=now)
    visits = visits.filter(is_there).exclude(is_expired).order_by("starts_at", "pk")
    with_visits = Appointment.objects.filter(is_there, therapist=OuterRef("pk")).exclude(
        status__in=(Appointment.Status.HELD, Appointment.Status.CANCELLED)
    )
    therapists = Therapist.objects.filter(Q(is_active=True) | Exists(with_visits))
    if therapist is not None:
        therapists = Therapist.objects.filter(pk=therapist.pk)
        visits = visits.filter(therapist=therapist)
    schedules, _ = _read_hours(therapists, first_day=first_day, days=days, now=now, clinic=clinic)
    for visit in visits:
        if visit.therapist_id in schedules:
            schedules[visit.therapist_id].visits.append(visit)
            _add_visit(
                schedules[visit.therapist_id], None, visit.service_id, visit.starts_at, visit.blocked, visit.status
            )
    return list(schedules.values())


def _read_hours(
    therapists: QuerySet, *, first_day: date, days: int, now: datetime, clinic: Clinic
) -> tuple[dict[UUID, Schedule], Interval]:
    """Return the schedules without visits by the therapist's key, and what they span: a day more at either end."""
    first_day, days = first_day - timedelta(days=1), days + 2
    stretch = day_interval(first_day, days, clinic.zone)
    schedules = _open_schedules(therapists, first_day, days, now, clinic)
    _add_overrides(schedules, therapists, stretch)
    return schedules, stretch


def _taken(stretch: Interval, *, service: Service | None, now: datetime, clinic: Clinic) -> QuerySet[Appointment]:
    """Return the visits and live holds that block time in `stretch`.

    For a service with caps, also those that count against its caps in the weeks that `stretch` overlaps.
    """
    blocking = Appointment.objects.blocking(stretch, now=now)
    if service is None or not service.caps.has_any:
        return blocking
    first = monday_of(stretch.start.astimezone(clinic.zone).date())
    last = monday_of(stretch.end.astimezone(clinic.zone).date()) + timedelta(days=7)
    weeks = day_interval(first, (last - first).days, clinic.zone)
    return blocking | Appointment.objects.counting(weeks, service=service, now=now)


def _add_visit(
    schedule: Schedule,
    asked_service_id: UUID | None,
    service_id: UUID,
    starts_at: datetime,
    blocked: DateTimeTZRange,
    status: str,
) -> None:
    if status in (Appointment.Status.BOOKED, Appointment.Status.HELD):
        schedule.blocked.append(Interval(blocked.lower, blocked.upper))
    if service_id == asked_service_id:
        schedule.counted.append(starts_at)


def _open_schedules(therapists: QuerySet, first_day: date, days: int, now: datetime, clinic: Clinic) -> dict:
    """Return a schedule with the weekly openings for each therapist, by key.

    One query, with a row for each of their opening hours.
    """
    rows = therapists.annotate(
        weekday=F("opening_hours__weekday"),
        opens=F("opening_hours__opens"),
        closes=F("opening_hours__closes"),
        valid_from=F("opening_hours__valid_from"),
        valid_until=F("opening_hours__valid_until"),
        hours_mode=F("opening_hours__mode"),
    ).order_by("position", "name", "pk")
    weeks: dict = {}
    for row in rows:
        _, week = weeks.setdefault(row.pk, (row, []))
        if row.weekday is not None:
            week.append(
                WeeklyHours(row.weekday, row.opens, row.closes, row.valid_from, row.valid_until, row.hours_mode)
            )
    today = now.astimezone(clinic.zone).date()
    return {
        pk: Schedule(therapist, *online_openings(week, first_day=first_day, days=days, today=today, zone=clinic.zone))
        for pk, (therapist, week) in weeks.items()
    }


def _add_overrides(schedules: dict, therapists: QuerySet, stretch: Interval) -> None:
    """Add closures and extra hours to the schedules to which they apply. One query."""
    overrides = HoursOverride.objects.touching(stretch).filter(Q(therapist=None) | Q(therapist__in=therapists))
    for override in overrides:
        for schedule in schedules.values():
            if override.therapist_id in (None, schedule.therapist.pk):
                if override.kind == HoursOverride.Kind.CLOSURE:
                    schedule.closed.append(override.interval)
                    schedule.closures.append(override)
                else:
                    schedule.openings.append(override.interval)
