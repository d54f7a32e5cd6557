"""Random sequences of actions, checked against a plain model made of lists and minutes.

The days are around the end of daylight saving time in 2026, so a sequence may cross it. After each step the database
and the model must agree: the same visits, no overlap, and exactly the free times offered.
"""

import os
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    get_state_machine_test,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from booking.actions.block_time import block_time
from booking.actions.change import cancel_appointment, move_appointment, undo_cancellation
from booking.actions.hold import hold_time, hold_token, release_hold, renew_hold
from booking.models import Appointment, HoursOverride, OpeningHours
from booking.schedule.availability import free_slots
from booking.schedule.errors import BookingRefused
from booking.schedule.slots import Slot
from booking.time.intervals import VisitShape
from clinic.practice.models import Clinic, User
from tests.world import book, give_hours

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("America/New_York")
FRIDAY = date(2026, 10, 30)  # the clocks go back early on Sunday
DAYS = 5
DAWN = datetime(2026, 10, 30, 10, tzinfo=UTC)
MINUTE, NOTICE, WINDOW = timedelta(minutes=1), timedelta(hours=1), timedelta(hours=12)


def at(day: int, minutes: int) -> datetime:
    """Return the instant at that wall clock time. The hours of the model exist exactly once every day."""
    local = datetime.combine(FRIDAY + timedelta(days=day), time(minutes // 60, minutes % 60), tzinfo=ZONE)
    return local.astimezone(UTC)


def overlap(a, b) -> bool:
    return a[0] < b[1] and b[0] < a[1]


@dataclass
class Kind:
    """The facts of a service that the model uses."""

    minutes: int
    step: int
    prepare: int
    turnover: int
    cap: int | None

    def blocked(self, start):
        return start - self.prepare * MINUTE, start + (self.minutes + self.turnover) * MINUTE


KINDS = {"evaluation": Kind(45, 30, 0, 15, 2), "call": Kind(15, 15, 5, 0, None)}


@dataclass
class Row:
    kind: str
    start: datetime
    status: str
    made_at: datetime
    expires: datetime | None = None
    cancelled_at: datetime | None = None
    renewed: bool = False

    @property
    def changeable_until(self) -> datetime:
        return min(max(self.start - WINDOW, self.made_at + 30 * MINUTE), self.start)

    def counts(self, now) -> bool:
        return self.status == "booked" or (self.status == "held" and now < self.expires)


@dataclass
class World:
    """The model: plain lists. Every query scans all of them."""

    now: datetime = DAWN
    hours: list = field(default_factory=lambda: [(540, 720), (780, 1020)])
    closures: list = field(default_factory=list)
    rows: dict = field(default_factory=dict)

    def others(self, now, ignoring):
        return [row for key, row in self.rows.items() if key != ignoring and row.counts(now)]

    def is_taken(self, kind, start, now, ignoring=None) -> bool:
        mine = KINDS[kind].blocked(start)
        return any(overlap(mine, KINDS[row.kind].blocked(row.start)) for row in self.others(now, ignoring))

    def is_allowed(self, kind, start, now, ignoring=None) -> bool:
        shape, local = KINDS[kind], start.astimezone(ZONE)
        if start < now + NOTICE or local.date() > now.astimezone(ZONE).date() + timedelta(days=DAYS):
            return False
        day, minutes = (local.date() - FRIDAY).days, local.hour * 60 + local.minute
        is_open = any(
            opens <= minutes and minutes + shape.minutes <= closes and (minutes - opens) % shape.step == 0
            for opens, closes in self.hours
        )
        visit = (start, start + shape.minutes * MINUTE)
        same = [row for row in self.others(now, ignoring) if row.kind == kind]
        is_full = (
            shape.cap and sum((row.start.astimezone(ZONE).date() - FRIDAY).days == day for row in same) >= shape.cap
        )
        return is_open and not is_full and not any(overlap(visit, closure) for closure in self.closures)

    def is_offered(self, kind, start, now=None, ignoring=None) -> bool:
        now = now or self.now
        return self.is_allowed(kind, start, now, ignoring) and not self.is_taken(kind, start, now, ignoring)

    def forget_expired(self, key_to_keep=None) -> None:
        """Delete expired holds, as every write to a schedule does."""
        gone = [k for k, row in self.rows.items() if row.status == "held" and self.now >= row.expires]
        for key in gone:
            if key != key_to_keep:
                del self.rows[key]


kinds = st.sampled_from(sorted(KINDS))
# Mostly bookable times, on days that fill up, so that short sequences reach caps and conflicts.
times = st.builds(
    at,
    st.sampled_from([0, 1, 1, 1, 2, 2, 2, 3, 4]),
    st.one_of(st.sampled_from(range(9 * 60, 17 * 60, 30)), st.sampled_from(range(8 * 60, 18 * 60, 15))),
)
chances = st.integers(0, 10**6)
stale = st.sampled_from([False, False, False, True])  # whether the page is from before the last change


class ClinicMachine(RuleBasedStateMachine):
    """Each rule performs an action on the database and on the model, and compares the outcomes."""

    @initialize()
    def open_clinic(self):
        self.world, self.visits, self.number, self.closed = World(), {}, 0, []
        self.savepoint = transaction.savepoint_create()  # booking refuses to run inside another atomic block

    def teardown(self):
        if hasattr(self, "savepoint"):
            transaction.savepoint_rollback(self.savepoint)

    def attempt(self, act, *, expected: bool):
        """Return the result of `act`. Check that it is allowed as `expected`, and that a refusal changes no row."""
        before = self.stored()
        outcome, refusal = None, None
        try:
            outcome = act()
        except BookingRefused as refused:
            refusal = refused
        assert (refusal is None) == expected, f"{refusal!r}, although the model says otherwise"
        assert refusal is None or self.stored() == before
        return outcome

    def stored(self):
        return {row["pk"]: row for row in Appointment.objects.values("pk", "starts_at", "status", "version")}

    def one_of(self, chance, *statuses):
        found = [key for key, row in self.world.rows.items() if row.status in statuses]
        return found[chance % len(found)] if found else None

    def reload(self, key):
        return Appointment.objects.get(pk=self.visits[key])

    @rule(kind=kinds, start=times)
    def book(self, kind, start):
        world, key = self.world, uuid.uuid4()
        visit = self.attempt(
            lambda: book(self.services[kind], starts_at=start, now=world.now, idempotency_key=key, name="Alice Runner"),
            expected=world.is_offered(kind, start),
        )
        if visit:
            world.forget_expired()
            world.rows[key], self.visits[key] = Row(kind, start, "booked", world.now), visit.pk

    @rule(day=st.integers(0, DAYS - 1))
    def fill_a_day(self, day):
        for minutes in (540, 600, 780, 840):
            self.book("evaluation", at(day, minutes))

    @rule(chance=chances, start=times)
    def send_the_same_form_again(self, chance, start):
        if key := self.one_of(chance, "booked", "cancelled"):
            again = book(self.services["call"], starts_at=start, now=self.world.now, idempotency_key=key)
            assert again.pk == self.visits[key]

    @rule(kind=kinds, start=times)
    def hold(self, kind, start):
        world, key = self.world, uuid.uuid4()
        held = self.attempt(
            lambda: hold_time(
                slot=Slot(self.services[kind], self.therapist, start), idempotency_key=key, now=world.now
            ),
            expected=world.is_offered(kind, start),
        )
        if held:
            world.forget_expired()
            world.rows[key] = Row(kind, start, "held", world.now, expires=world.now + 10 * MINUTE)
            self.visits[key] = held.pk

    @rule(chance=chances)
    def confirm_hold(self, chance):
        world = self.world
        if (key := self.one_of(chance, "held")) is None:
            return
        row = world.rows[key]
        rules_of = row.made_at if world.now < row.expires else world.now
        token = hold_token(self.reload(key))
        visit = self.attempt(
            lambda: book(
                self.services[row.kind], starts_at=row.start, now=world.now, idempotency_key=key, hold_token=token
            ),
            expected=world.is_offered(row.kind, row.start, now=rules_of, ignoring=key),
        )
        if visit:
            assert visit.pk == self.visits[key]
            world.forget_expired(key_to_keep=key)
            row.status, row.expires, row.made_at = "booked", None, world.now

    @rule(chance=chances, presses=st.integers(1, 2), start=times)
    def renew(self, chance, presses, start):
        if self.one_of(chance, "held") is None:
            self.hold("call", start)
        key = self.one_of(chance, "held")
        for _ in range(presses if key else 0):
            row, now = self.world.rows[key], self.world.now
            renewing = partial(renew_hold, self.reload(key), now=now)
            held = self.attempt(renewing, expected=not row.renewed)
            if held:
                assert held.hold_expires_at == max(now, row.expires) + 10 * MINUTE
                row.renewed, row.expires = True, held.hold_expires_at

    @rule(chance=chances)
    def release(self, chance):
        if key := self.one_of(chance, "held"):
            release_hold(self.reload(key))
            del self.world.rows[key], self.visits[key]

    @rule(chance=chances, by_staff=st.booleans(), is_stale=stale)
    def cancel(self, chance, by_staff, is_stale):
        if key := self.one_of(chance, "booked"):
            row, now = self.world.rows[key], self.world.now
            last = row.start + KINDS[row.kind].minutes * MINUTE if by_staff else row.changeable_until
            visit = self.attempt(
                lambda: cancel_appointment(
                    appointment=self.reload(key),
                    version=self.reload(key).version - is_stale,
                    by=self.staff if by_staff else None,
                    now=now,
                ),
                expected=now < last and not is_stale,
            )
            if visit:
                row.status, row.cancelled_at = "cancelled", now

    @rule(chance=chances, after=st.sampled_from([0, 2, 4]), is_stale=stale)
    def undo(self, chance, after, is_stale):
        if self.one_of(chance, "cancelled") is None:
            self.cancel(chance, by_staff=True, is_stale=False)
        if key := self.one_of(chance, "cancelled"):
            row, world = self.world.rows[key], self.world
            world.now += after * MINUTE
            is_soon = world.now < row.cancelled_at + 3 * MINUTE and world.now < row.start
            visit = self.attempt(
                lambda: undo_cancellation(
                    appointment=self.reload(key), version=self.reload(key).version - is_stale, now=world.now
                ),
                expected=is_soon
                and not is_stale
                and not world.is_taken(row.kind, row.start, world.now)
                and not self.was_closed(row, since=row.cancelled_at),
            )
            if visit:
                world.forget_expired()
                row.status, row.cancelled_at = "booked", None

    def was_closed(self, row, *, since):
        end = row.start + KINDS[row.kind].minutes * MINUTE
        return any(made_at > since and opens < end and row.start < closes for opens, closes, made_at in self.closed)

    @rule(chance=chances, start=times, to=st.sampled_from(["anywhere", "near", "onto another"]), is_stale=stale)
    def move(self, chance, start, to, is_stale):
        if key := self.one_of(chance, "booked"):
            row, world = self.world.rows[key], self.world
            if to == "near":
                start = row.start + KINDS[row.kind].step * MINUTE
            elif to == "onto another":
                start = world.rows[self.one_of(chance + 1, "booked", "held")].start
            is_allowed = world.now < row.changeable_until and (
                start == row.start or (not is_stale and world.is_offered(row.kind, start, ignoring=key))
            )
            visit = self.attempt(
                lambda: move_appointment(
                    appointment=self.reload(key),
                    starts_at=start,
                    version=self.reload(key).version - is_stale,
                    now=world.now,
                ),
                expected=is_allowed,
            )
            if visit and start != row.start:
                world.forget_expired()
                row.start = start

    @rule(minutes=st.sampled_from([1, 2, 5, 9, 11, 60, 600, 1440]))
    def let_time_pass(self, minutes):
        if self.world.now < DAWN + timedelta(days=DAYS - 2):
            self.world.now += minutes * MINUTE

    @rule(chance=chances, status=st.sampled_from(["booked", "held"]), minutes=st.sampled_from([-1, 0, 1]))
    def let_an_end_come(self, chance, status, minutes):
        """Move the clock to the end of a hold or of the time for changes to a visit, give or take a minute."""
        if key := self.one_of(chance, status):
            row = self.world.rows[key]
            end = (row.expires if status == "held" else row.changeable_until) + minutes * MINUTE
            if self.world.now < end < DAWN + timedelta(days=DAYS - 2):
                self.world.now = end

    @rule(start=times, hours=st.integers(1, 4))
    def close(self, start, hours):
        end = start + timedelta(hours=hours)
        closure = block_time(therapist=self.therapist, starts_at=start, ends_at=end, despite_visits=True, by=self.staff)
        HoursOverride.objects.filter(pk=closure.pk).update(created_at=self.world.now)  # the model's clock
        self.closed.append((start, end, self.world.now))
        self.world.closures.append((start, end))

    @rule(opens=st.sampled_from([480, 540, 570]), closes=st.sampled_from([900, 1020, 1080]))
    def change_hours(self, opens, closes):
        OpeningHours.objects.filter(opens__lt=time(12)).update(opens=time(opens // 60, opens % 60))
        OpeningHours.objects.filter(opens__gte=time(12)).update(closes=time(closes // 60, closes % 60))
        self.world.hours = [(opens, 720), (780, closes)]

    @invariant()
    def the_database_tells_the_models_story(self):
        if hasattr(self, "world"):
            expected = {self.visits[key]: (row.start, row.status) for key, row in self.world.rows.items()}
            assert {pk: (row["starts_at"], row["status"]) for pk, row in self.stored().items()} == expected

    @invariant()
    def nothing_overlaps(self):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM booking_appointment a JOIN booking_appointment b ON a.id < b.id"
                " AND a.therapist_id = b.therapist_id AND a.blocked && b.blocked"
                " AND a.status IN ('held', 'booked') AND b.status IN ('held', 'booked')"
            )
            assert cursor.fetchone() == (0,)

    @invariant()
    def offered_is_what_can_be_had(self):
        if not hasattr(self, "world"):
            return
        for kind, service in self.services.items():
            slots = free_slots(service=service, first_day=FRIDAY, days=DAYS, now=self.world.now, clinic=self.clinic)
            every = {at(day, minutes) for day in range(DAYS) for minutes in range(480, 1080, 15)}
            assert {slot.starts_at for slot in slots} == {
                start for start in every if self.world.is_offered(kind, start)
            }


@pytest.fixture
def little_world(evaluation, call, meredith, clinic):
    Clinic.objects.update(minimum_notice_minutes=60, horizon_days=DAYS, change_window_hours=12)
    OpeningHours.objects.all().delete()
    give_hours(meredith, weekdays=range(7))
    for service, shape in ((evaluation, KINDS["evaluation"]), (call, KINDS["call"])):
        service.prepare_minutes, service.turnover_minutes, service.daily_cap = shape.prepare, shape.turnover, shape.cap
        service.save()
    ClinicMachine.clinic, ClinicMachine.therapist = Clinic.objects.get(), meredith
    ClinicMachine.services = {"evaluation": evaluation, "call": call}
    ClinicMachine.staff = User.objects.create_user("frank@clinic.example", name="Frank")


EVERYDAY = {"stateful_step_count": 25, "deadline": None, "suppress_health_check": list(HealthCheck)}
SEED = int(os.environ.get("MACHINE_SEED") or secrets.randbelow(10**9))


def live(**how) -> None:
    """Run random sequences of actions."""
    run_state_machine_as_test(ClinicMachine, settings=settings(**EVERYDAY | how))


def live_by_seed() -> None:
    """Run the sequences that follow from SEED alone, until one fails or `max_examples` have passed."""
    once = settings(**EVERYDAY, max_examples=2000, database=None, phases=[Phase.generate], report_multiple_bugs=False)
    seed(SEED)(get_state_machine_test(ClinicMachine, settings=once))()


@pytest.mark.long
def test_random_actions_match_the_model(little_world):
    live(max_examples=20)


# Tests of the machine itself: it must find a mistake in any of these places.


def _blocking_only_visits(visits, interval, *, now):
    return visits.filter(blocked__overlap=(interval.start, interval.end), status="booked")


def _blocking_for_ever(visits, interval, *, now):
    return visits.filter(blocked__overlap=(interval.start, interval.end), status__in=("booked", "held"))


def _always_summer(day, clock, zone):
    return datetime.combine(day, clock, tzinfo=timezone(timedelta(hours=-4))).astimezone(UTC)


MISTAKES = {
    "buffers are left out": ("booking.time.intervals.VisitShape.blocked", VisitShape.visit),
    "holds do not block": ("booking.models.appointment.AppointmentQuerySet.blocking", _blocking_only_visits),
    "holds never run out": ("booking.models.appointment.AppointmentQuerySet.blocking", _blocking_for_ever),
    "holds are renewed for ever": ("booking.actions.hold.is_renewable", lambda held: True),
    "it is always summer": ("booking.time.opening_hours.instant_of", _always_summer),
    "caps are shown and not kept": ("booking.schedule.rules.starts_under_caps", lambda starts, **_: starts),
    "moves ask no rule": ("booking.actions.change.require_free", lambda **_: None),
    "changes are never too late": ("booking.actions.change.is_changeable", lambda visit, **_: True),
    "undoing is never too late": ("booking.actions.change.is_undoable", lambda visit, **_: True),
}


@pytest.mark.long
@pytest.mark.fault
@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_machine_finds_the_mistake_when(mistake, little_world, monkeypatch):
    print(f"MACHINE_SEED={SEED} chooses the same lives again")
    monkeypatch.setattr(*MISTAKES[mistake])
    with pytest.raises(AssertionError):
        live_by_seed()
