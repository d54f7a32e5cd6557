"""The gaps of a day for Today: free time, who on the wait list it suits, and whether it was offered to them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from booking.models import SlotOffer
from booking.models.visit_states import UNDO_FOR
from booking.schedule.local_time import LocalTime, clinic_time
from booking.schedule.schedules import Schedule, read_schedules
from booking.staff.listed_times import booking_address
from booking.staff.rights import SEES_WAIT_LIST
from booking.time.intervals import Interval, intersect, subtract
from booking.time.opening_hours import day_interval
from booking.wait_list.gap_offers import offered_from
from booking.wait_list.matches import Waiting, WaitList, read_wait_list
from clinic.practice.models import Clinic, Patient, Therapist, User
from clinic.practice.registry.rights import may_see

SHORTEST_GAP_MINUTES = 30
QUARTER = timedelta(minutes=15)

Found = tuple[Waiting, datetime, bool]  # with the first time that suits, and whether one is late enough to be offered


@dataclass(frozen=True)
class WaitingPatient:
    """A patient on the wait list whom a time in the gap would suit."""

    waiting: Waiting
    patient: Patient
    time: LocalTime  # the first that would suit
    address: str  # of the form that books that time
    is_offered: bool  # a time in the gap
    can_be_emailed: bool


@dataclass(frozen=True)
class GapRow:
    """Open time of at least SHORTEST_GAP_MINUTES that no visit, hold or buffer blocks."""

    interval: Interval
    starts: LocalTime
    ends: LocalTime
    therapist: Therapist
    is_named: bool  # the clinic has several therapists
    address: str  # of the form that books a visit in it
    waiting: list[WaitingPatient]
    offered_at: LocalTime | None
    is_undoable: bool  # no offer has been sent yet

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

    @property
    def emailable(self) -> int:
        """The number of patients to whom the gap can be offered by email."""
        return sum(one.can_be_emailed for one in self.waiting)


def is_open_today(schedule: Schedule, whole_day: Interval) -> bool:
    """Whether the therapist works on that day."""
    return bool(_open_time(schedule, whole_day))


def read_gaps(
    schedules: Sequence[Schedule], whole_day: Interval, *, clinic: Clinic, by: User, now: datetime
) -> list[GapRow]:
    """Return the gaps that are left of the day in `schedules`, soonest first. At most four queries."""
    gaps = sorted(((gap, schedule) for schedule in schedules for gap in _free(schedule, whole_day, now)), key=_start)
    sees_list = bool(gaps) and may_see(by, [SEES_WAIT_LIST])
    wait_list = read_wait_list(now=now, clinic=clinic) if sees_list else WaitList([], {})
    found = [_waiting_for(gap, schedule, wait_list, clinic, now) for gap, schedule in gaps]
    patients = Patient.objects.in_bulk({one.entry.patient_id for waiting in found for one, *_ in waiting})
    offers = list(SlotOffer.objects.of_gaps(whole_day)) if sees_list else []
    return [
        _row(gap, schedule.therapist, waiting, patients, offers, len(schedules) > 1, clinic, now)
        for (gap, schedule), waiting in zip(gaps, found, strict=True)
    ]


def _row(
    gap: Interval,
    therapist: Therapist,
    waiting: list[Found],
    patients: Mapping[UUID, Patient],
    offers: Iterable[SlotOffer],
    is_named: bool,
    clinic: Clinic,
    now: datetime,
) -> GapRow:
    own = [one for one in offers if one.therapist_id == therapist.pk and gap.start <= one.starts_at < gap.end]
    offered = {one.entry_id for one in own}
    offered_at = max((one.created_at for one in own), default=None)
    return GapRow(
        interval=gap,
        starts=clinic_time(gap.start, clinic),
        ends=clinic_time(gap.end, clinic),
        therapist=therapist,
        is_named=is_named,
        address=booking_address(starts_at=gap.start, therapist=therapist),
        waiting=[
            WaitingPatient(
                waiting=one,
                patient=patients[one.entry.patient_id],
                time=clinic_time(starts_at, clinic),
                address=booking_address(starts_at=starts_at, therapist=therapist, service=one.entry.service),
                is_offered=one.entry.pk in offered,
                can_be_emailed=one.entry.pk not in offered
                and can_be_told
                and bool(patients[one.entry.patient_id].email),
            )
            for one, starts_at, can_be_told in waiting
        ],
        offered_at=clinic_time(offered_at, clinic) if offered_at else None,
        is_undoable=any(one.taken_at is None and now < one.created_at + UNDO_FOR for one in own),
    )


def _free(schedule: Schedule, whole_day: Interval, now: datetime) -> list[Interval]:
    """Return the free time of the day from the next quarter of an hour on."""
    now = now.astimezone(UTC)
    begin = now + (whole_day.start - now) % QUARTER
    if begin >= whole_day.end:
        return []
    left = intersect(_open_time(schedule, whole_day), [Interval(max(begin, whole_day.start), whole_day.end)])
    return [gap for gap in subtract(left, schedule.blocked) if gap.minutes >= SHORTEST_GAP_MINUTES]


def _waiting_for(gap: Interval, schedule: Schedule, wait_list: WaitList, clinic: Clinic, now: datetime) -> list[Found]:
    """Return those whom a time in `gap` would suit, the longest waiting first."""
    starts, therapist = wait_list.starts_in(schedule, earliest=now), schedule.therapist
    in_time = wait_list.starts_in(schedule, earliest=offered_from(now))
    can_be_told = {one.entry.pk for one in wait_list.matching(gap, therapist, in_time, clinic)}
    found = wait_list.matching(gap, therapist, starts, clinic)
    return [(one, one.first_in(gap, starts, clinic), one.entry.pk in can_be_told) for one in found]


def _open_time(schedule: Schedule, whole_day: Interval) -> list[Interval]:
    return subtract(intersect(schedule.all_openings, [whole_day]), schedule.closed)


def read_gap(*, therapist: Therapist, starts_at: datetime, clinic: Clinic, by: User, now: datetime) -> GapRow | None:
    """Return the row of the gap that contains `starts_at`, after an act; None if that time is no longer free."""
    day = starts_at.astimezone(clinic.zone).date()
    schedules = read_schedules(first_day=day, days=1, now=now, clinic=clinic)
    rows = read_gaps(schedules, day_interval(day, 1, clinic.zone), clinic=clinic, by=by, now=now)
    of_gap = (row for row in rows if row.therapist == therapist and row.interval.start <= starts_at < row.interval.end)
    return next(of_gap, None)


def _start(gap: tuple[Interval, Schedule]) -> Interval:
    return gap[0]
