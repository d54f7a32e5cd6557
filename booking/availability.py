"""Which times are free: the rows of the database laid out for `booking.scheduling`.

Every question costs three queries whatever the number of days, therapists and bookings: one for the therapists with
their weekly hours, one for the exceptions, one for what is taken (and one more for the clinic, unless it is passed).
All instants are UTC; days are the clinic's.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import F, Q, QuerySet

from booking.models import Appointment, HoursOverride, Service
from booking.opening_hours import WeeklyHours, day_interval, opening_intervals
from booking.refusals import NotOfferedBecause, SlotNotOffered, SlotTaken
from booking.scheduling import Interval, offered_starts
from clinic.practice.models import Clinic, Therapist


@dataclass(frozen=True, order=True)
class Slot:
    """A time somebody could have, and with whom."""

    starts_at: datetime
    position: int  # the therapist's, so that sorting prefers the first of those who are free
    therapist: Therapist = field(compare=False)
    minutes: int = field(compare=False)

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=self.minutes)


@dataclass
class Diary:
    """What is known of one therapist for a stretch of days."""

    therapist: Therapist
    openings: list[Interval]
    closed: list[Interval] = field(default_factory=list)
    blocked: list[Interval] = field(default_factory=list)


@dataclass(frozen=True)
class BookableTime:
    """From when until before when a service can be booked online."""

    earliest: datetime
    latest: datetime

    def last_day(self, zone: ZoneInfo) -> date:
        """The last day on which a visit can start, in the clinic's `zone`."""
        return (self.latest - timedelta(microseconds=1)).astimezone(zone).date()


def bookable_time(service: Service, *, clinic: Clinic, now: datetime) -> BookableTime:
    """The service's notice and horizon, or the clinic's where it has none. The last day counts to its midnight."""
    notice, horizon = service.minimum_notice_minutes, service.horizon_days
    notice = clinic.minimum_notice_minutes if notice is None else notice
    horizon = clinic.horizon_days if horizon is None else horizon
    today = now.astimezone(clinic.zone).date()
    last_day = day_interval(today + timedelta(days=horizon), 1, clinic.zone)
    return BookableTime(now.astimezone(UTC) + timedelta(minutes=notice), last_day.end)


def free_slots(
    *,
    service: Service,
    first_day: date,
    days: int,
    now: datetime,
    therapist: Therapist | None = None,
    clinic: Clinic | None = None,
) -> list[Slot]:
    """Every free time of `days` days from `first_day`, sorted; of one therapist or of all who do the service."""
    clinic = clinic or Clinic.objects.current()
    if not service.is_bookable or days <= 0:
        return []
    window = bookable_time(service, clinic=clinic, now=now)
    asked = day_interval(first_day, days, clinic.zone)
    diaries = read_diaries(first_day=first_day, days=days, now=now, clinic=clinic, service=service, therapist=therapist)
    return sorted(
        Slot(start, place, diary.therapist, service.minutes)
        for place, diary in enumerate(diaries)
        for start in offered_starts(
            openings=diary.openings,
            closed=diary.closed,
            blocked=diary.blocked,
            shape=service.shape,
            earliest=max(window.earliest, asked.start),
            latest=min(window.latest, asked.end),
        )
    )


def free_days(
    *,
    service: Service,
    first_day: date,
    days: int,
    now: datetime,
    therapist: Therapist | None = None,
    clinic: Clinic | None = None,
) -> dict[date, int]:
    """How many times each day has, sorted by day; days without any are left out.

    Two therapists free at the same time count once: it is one time to the person who chooses.
    """
    clinic = clinic or Clinic.objects.current()
    slots = free_slots(service=service, first_day=first_day, days=days, now=now, therapist=therapist, clinic=clinic)
    starts = sorted({slot.starts_at for slot in slots})
    return dict(Counter(start.astimezone(clinic.zone).date() for start in starts))


def next_free_slots(
    *,
    service: Service,
    limit: int,
    now: datetime,
    therapist: Therapist | None = None,
    clinic: Clinic | None = None,
    first_day: date | None = None,
) -> list[Slot]:
    """The first `limit` free times, from now (or from `first_day`) to the horizon; one slot a time."""
    clinic = clinic or Clinic.objects.current()
    window = bookable_time(service, clinic=clinic, now=now)
    soonest = window.earliest.astimezone(clinic.zone).date()
    first_day = max(first_day or soonest, soonest)
    days = (window.last_day(clinic.zone) - first_day).days + 1
    slots = free_slots(service=service, first_day=first_day, days=days, now=now, therapist=therapist, clinic=clinic)
    return one_slot_a_time(slots)[:limit]


def nearest_free_slots(
    *, service: Service, to: datetime, limit: int, now: datetime, clinic: Clinic, within_days: int = 14
) -> list[Slot]:
    """The `limit` free times that lie nearest to `to`, a fortnight either way, sorted by time; one slot a time."""
    first_day = to.astimezone(clinic.zone).date() - timedelta(days=within_days)
    slots = free_slots(service=service, first_day=first_day, days=2 * within_days + 1, now=now, clinic=clinic)
    return sorted(sorted(one_slot_a_time(slots), key=lambda slot: abs(slot.starts_at - to))[:limit])


def one_slot_a_time(slots: Iterable[Slot]) -> list[Slot]:
    """Of sorted slots that start together, the first therapist's."""
    found: dict[datetime, Slot] = {}
    for slot in slots:
        found.setdefault(slot.starts_at, slot)
    return list(found.values())


def require_free(
    *, service: Service, therapist: Therapist, starts_at: datetime, mode: str, now: datetime, clinic: Clinic
) -> None:
    """Refuse unless the pages would offer this very time: the same rows through the same arithmetic.

    Raises SlotNotOffered with the rule that hides it, SlotTaken if only another visit stands in the way. Its answer
    holds for as long as the caller has the therapist's diary locked.
    """
    if not service.is_bookable or mode not in service.modes:
        raise SlotNotOffered(NotOfferedBecause.SERVICE)
    window = bookable_time(service, clinic=clinic, now=now)
    if starts_at < window.earliest:
        raise SlotNotOffered(NotOfferedBecause.NOTICE)
    if starts_at >= window.latest:
        raise SlotNotOffered(NotOfferedBecause.HORIZON)
    day = starts_at.astimezone(clinic.zone).date()
    diaries = read_diaries(first_day=day, days=1, now=now, clinic=clinic, service=service, therapist=therapist)
    if not diaries:
        raise SlotNotOffered(NotOfferedBecause.SERVICE)
    diary = diaries[0]
    this_time = {"shape": service.shape, "earliest": starts_at, "latest": starts_at + timedelta(seconds=1)}
    if not offered_starts(openings=diary.openings, closed=diary.closed, blocked=[], **this_time):
        raise SlotNotOffered(NotOfferedBecause.HOURS)
    if not offered_starts(openings=diary.openings, closed=diary.closed, blocked=diary.blocked, **this_time):
        raise SlotTaken


def read_diaries(
    *,
    first_day: date,
    days: int,
    now: datetime,
    clinic: Clinic,
    service: Service | None = None,
    therapist: Therapist | None = None,
) -> list[Diary]:
    """The diaries of a service's active therapists (or one of them, or everybody), in their order; three queries.

    The diaries reach one day further on either side, as buffers and extra hours may lie across midnight; the caller
    takes what it asked for. So a day's times are the same whether one day is asked for or sixty.
    """
    therapists = Therapist.objects.active()
    if service is not None:
        therapists = therapists.filter(services=service)
    if therapist is not None:
        therapists = therapists.filter(pk=therapist.pk)
    first_day, days = first_day - timedelta(days=1), days + 2
    stretch = day_interval(first_day, days, clinic.zone)
    diaries = _open_diaries(therapists, first_day, days, clinic)
    _add_overrides(diaries, therapists, stretch)
    taken = Appointment.objects.blocking(stretch, now=now).filter(therapist__in=therapists).order_by()
    for therapist_id, blocked in taken.values_list("therapist_id", "blocked"):
        if therapist_id in diaries:
            diaries[therapist_id].blocked.append(Interval(blocked.lower, blocked.upper))
    return list(diaries.values())


def _open_diaries(therapists: QuerySet, first_day: date, days: int, clinic: Clinic) -> dict:
    """A diary with the weekly openings for each therapist; one query, a row for each stretch of their weeks."""
    rows = therapists.annotate(
        weekday=F("opening_hours__weekday"),
        opens=F("opening_hours__opens"),
        closes=F("opening_hours__closes"),
        valid_from=F("opening_hours__valid_from"),
        valid_until=F("opening_hours__valid_until"),
    ).order_by("position", "name", "pk")
    weeks: dict = {}
    for row in rows:
        _, week = weeks.setdefault(row.pk, (row, []))
        if row.weekday is not None:
            week.append(WeeklyHours(row.weekday, row.opens, row.closes, row.valid_from, row.valid_until))
    return {
        pk: Diary(therapist, opening_intervals(week, first_day=first_day, days=days, zone=clinic.zone))
        for pk, (therapist, week) in weeks.items()
    }


def _add_overrides(diaries: dict, therapists: QuerySet, stretch: Interval) -> None:
    """Put closures and extra hours into the diaries they are about; one query."""
    overrides = HoursOverride.objects.touching(stretch).filter(Q(therapist=None) | Q(therapist__in=therapists))
    for override in overrides:
        for diary in diaries.values():
            if override.therapist_id in (None, diary.therapist.pk):
                is_closure = override.kind == HoursOverride.Kind.CLOSURE
                (diary.closed if is_closure else diary.openings).append(override.interval)
