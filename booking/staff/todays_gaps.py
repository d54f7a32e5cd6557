"""The gaps of a day for Today: free time, who on the wait list it suits, and whether it was offered to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from booking.actions.offers import offered_from
from booking.models import SlotOffer
from booking.schedule.local_time import LocalTime, clinic_time
from booking.schedule.schedules import Schedule, read_schedules
from booking.staff.listed_times import booking_address
from booking.staff.rights import SEES_WAIT_LIST
from booking.time.intervals import Interval, intersect, subtract
from booking.time.opening_hours import day_interval
from booking.wait_list.matches import Starts, Waiting, WaitList, read_wait_list
from clinic.practice.models import Clinic, Patient, Therapist, User
from clinic.practice.registry.rights import may_see

SHORTEST_GAP_MINUTES = 30
MOST_SHOWN = 3
QUARTER = timedelta(minutes=15)


@dataclass(frozen=True)
class WaitingPatient:
    """A patient on the wait list whom a time in the gap would suit."""

    waiting: Waiting
    patient: Patient
    time: LocalTime  # the first that would suit
    address: str  # of the form that books that time
    is_offered: bool  # a time in the gap


@dataclass(frozen=True)
class GapRow:
    """Open time of at least SHORTEST_GAP_MINUTES that no visit, hold or buffer blocks."""

    interval: Interval
    starts: LocalTime
    ends: LocalTime
    therapist: Therapist
    is_named: bool  # the clinic has several therapists
    address: str  # of the form that books a visit in it
    is_kept: bool  # patients cannot book it online
    waiting: list[WaitingPatient]  # the MOST_SHOWN who have waited longest
    more_waiting: int
    emailable: int  # the number of patients to whom it can be offered by email
    offered_at: LocalTime | None
    is_undoable: bool  # an offer has not been sent yet

    def __str__(self) -> str:
        text = f"{self.starts.clock} – {self.ends.clock}"
        return f"{text}, {self.therapist.name}" if self.is_named else text

    @property
    def anchor(self) -> str:
        """The id of the row."""
        return f"gap-{self.therapist.pk}-{self.starts.local:%H%M}"

    @property
    def offer_label(self) -> str:
        """The words on the button that offers it."""
        return f"Email {'the person' if self.emailable == 1 else f'{self.emailable} people'} waiting"


def is_open_today(schedule: Schedule, whole_day: Interval) -> bool:
    """Whether the therapist works on that day."""
    return bool(intersect(schedule.open_time, [whole_day]))


def read_gaps(
    schedules: Sequence[Schedule], whole_day: Interval, *, clinic: Clinic, by: User, now: datetime
) -> list[GapRow]:
    """Return the gaps that are left of the day in `schedules`, soonest first. At most four queries.

    Of the patients who wait, only those shown are loaded, since a loaded patient counts as seen in the audit log.
    """
    gaps = sorted(((gap, schedule) for schedule in schedules for gap in _free(schedule, whole_day, now)), key=_start)
    sees_list = bool(gaps) and may_see(by, [SEES_WAIT_LIST])
    wait_list = read_wait_list(now=now, clinic=clinic) if sees_list else WaitList([], {})
    starts = {one.therapist.pk: wait_list.starts_in(one, earliest=now) for _, one in gaps}
    found = [wait_list.matching(gap, one.therapist, starts[one.therapist.pk], clinic) for gap, one in gaps]
    shown = {one.entry.patient_id for waiting in found for one in waiting[:MOST_SHOWN]}
    day = _Day(
        patients=Patient.objects.in_bulk(shown) if shown else {},
        offers=list(SlotOffer.objects.standing().of_day(whole_day)) if sees_list else [],
        is_named=len(schedules) > 1,
        clinic=clinic,
        now=now,
    )
    return [
        _row(gap, schedule, waiting, starts[schedule.therapist.pk], day)
        for (gap, schedule), waiting in zip(gaps, found, strict=True)
    ]


@dataclass(frozen=True)
class _Day:
    """What the rows of a day share."""

    patients: Mapping[UUID, Patient]
    offers: list[SlotOffer]  # standing, with `is_waiting`
    is_named: bool
    clinic: Clinic
    now: datetime


def _row(gap: Interval, schedule: Schedule, waiting: Sequence[Waiting], starts: Starts, day: _Day) -> GapRow:
    therapist, clinic = schedule.therapist, day.clinic
    inside = [one for one in day.offers if gap.start <= one.starts_at < gap.end]
    own = [one for one in inside if one.therapist_id == therapist.pk and one.freed_by_id is None]
    offered, offered_at = {one.entry.patient_id for one in inside}, max((one.created_at for one in own), default=None)
    latest = offered_from(day.now)
    return GapRow(
        interval=gap,
        starts=clinic_time(gap.start, clinic),
        ends=clinic_time(gap.end, clinic),
        therapist=therapist,
        is_named=day.is_named,
        address=booking_address(starts_at=gap.start, therapist=therapist),
        is_kept=any(kept.overlaps(gap) for kept in schedule.kept),
        waiting=[
            WaitingPatient(
                waiting=one,
                patient=day.patients[one.entry.patient_id],
                time=clinic_time(starts_at, clinic),
                address=booking_address(starts_at=starts_at, therapist=therapist, service=one.entry.service),
                is_offered=one.entry.patient_id in offered,
            )
            for one in waiting[:MOST_SHOWN]
            if (starts_at := one.first_in(gap, starts, clinic, after=day.now)) is not None
        ],
        more_waiting=max(0, len(waiting) - MOST_SHOWN),
        emailable=len(
            {
                one.entry.patient_id
                for one in waiting
                if one.email and one.first_in(gap, starts, clinic, after=latest) is not None
            }
            - offered
        ),
        offered_at=clinic_time(offered_at, clinic) if offered_at else None,
        is_undoable=any(one.is_waiting for one in own),
    )


def _free(schedule: Schedule, whole_day: Interval, now: datetime) -> list[Interval]:
    """Return the free time of the day from the next quarter of an hour on."""
    now = now.astimezone(UTC)
    begin = now + (whole_day.start - now) % QUARTER
    if begin >= whole_day.end:
        return []
    left = intersect(schedule.open_time, [Interval(max(begin, whole_day.start), whole_day.end)])
    return [gap for gap in subtract(left, schedule.blocked) if gap.minutes >= SHORTEST_GAP_MINUTES]


def read_gap(*, therapist: Therapist, gap: Interval, clinic: Clinic, by: User, now: datetime) -> GapRow | None:
    """Return today's row that overlaps `gap` of an earlier page; None if nothing of it is free today."""
    day = now.astimezone(clinic.zone).date()
    schedules = read_schedules(first_day=day, days=1, now=now, clinic=clinic)
    rows = read_gaps(schedules, day_interval(day, 1, clinic.zone), clinic=clinic, by=by, now=now)
    return next((row for row in rows if row.therapist == therapist and row.interval.overlaps(gap)), None)


def _start(gap: tuple[Interval, Schedule]) -> Interval:
    return gap[0]
