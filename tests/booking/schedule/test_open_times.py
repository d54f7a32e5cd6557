"""The times that staff can book, against a naive oracle that tries every five minutes, and against the booking rules."""

import uuid
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from booking.models import Appointment, HoursOverride, OpeningHours, Service
from booking.schedule.errors import NotOfferedBecause as Because
from booking.schedule.errors import SlotNotOffered
from booking.schedule.rules import require_free
from booking.schedule.slots import Slot
from booking.staff.open_times import LEAST_DAYS, NEXT, OpenTimes, read_open_times, search_stretch, stretch_around
from booking.time.day_parts import PARTS
from clinic.practice.models import Therapist
from tests.factories import ServiceFactory
from tests.world import EVERY_RULE, HOUR, MINUTE, NINE_ON_TUESDAY, NOW, book

pytestmark = pytest.mark.django_db
STEP = 5 * MINUTE
DAYS = 3  # that the oracle tries, from NOW's day on

# (weekday, opening hour, hours open, mode) of each opening; (minutes from NOW, length) of visits and closures.
openings = st.lists(
    st.tuples(
        st.integers(0, DAYS - 1),
        st.integers(7, 18),
        st.integers(1, 4),
        st.sampled_from(["bookable", "reserve", "call_us"]),
    ),
    max_size=5,
    unique_by=lambda one: (one[0], one[1] // 5),
)
stretches = st.lists(
    st.tuples(st.integers(0, DAYS * 96).map(lambda n: n * 15), st.sampled_from([30, 60, 180])), max_size=4
)
weeks = st.lists(st.tuples(openings, stretches, stretches), min_size=1, max_size=2)


def furnish(week, service, clinic) -> None:
    """Create therapists with the hours, visits and closures of `week`, and no other ones."""
    for model in (Appointment, HoursOverride, OpeningHours):
        model.objects.all().delete()
    service.therapists.clear()
    for number, (hours, visits, closures) in enumerate(week):
        therapist, _ = Therapist.objects.get_or_create(
            slug=f"t{number}", defaults={"name": f"T{number}", "position": number}
        )
        service.therapists.add(therapist)
        for weekday, opens, length, mode in hours:
            OpeningHours.objects.create(
                therapist=therapist, weekday=weekday, opens=time(opens), closes=time(opens + length), mode=mode
            )
        for start, length in closures:
            starts_at = NOW + start * MINUTE
            HoursOverride.objects.create(
                kind="closure", therapist=therapist, starts_at=starts_at, ends_at=starts_at + length * MINUTE
            )
        for start, length in visits:
            add_visit(therapist, service, NOW + start * MINUTE, length * MINUTE)


def add_visit(therapist, service, starts_at, length) -> None:
    ends_at = starts_at + length
    if Appointment.objects.filter(therapist=therapist, starts_at__lt=ends_at, ends_at__gt=starts_at).exists():
        return
    Appointment.objects.create(
        reference=f"RC-{Appointment.objects.count():06}",
        idempotency_key=uuid.uuid4(),
        therapist=therapist,
        service=service,
        mode="in_person",
        starts_at=starts_at,
        ends_at=ends_at,
        blocked=(starts_at, ends_at),
        status="held",
        hold_expires_at=NOW + timedelta(days=30),
        price_cents=0,
        created_at=NOW,
    )


def naive_starts(service, clinic, part) -> list[tuple[datetime, str]]:
    """Try every five minutes of DAYS days with each therapist, minute by minute, from the rows themselves."""
    found, shape = [], service.shape
    for therapist in service.therapists.all():
        hours = list(therapist.opening_hours.all())
        closed = [(one.starts_at, one.ends_at) for one in HoursOverride.objects.filter(therapist=therapist)]
        taken = [(one.blocked.lower, one.blocked.upper) for one in Appointment.objects.filter(therapist=therapist)]
        at = datetime(2026, 11, 23, 5, tzinfo=UTC)  # midnight in New York
        while at < datetime(2026, 11, 23, 5, tzinfo=UTC) + timedelta(days=DAYS):
            local, visit, blocked = at.astimezone(clinic.zone), shape.visit(at), shape.blocked(at)
            clock = local.hour * 60 + local.minute
            of_day = [(one.opens.hour * 60, one.closes.hour * 60) for one in hours if one.weekday == local.weekday()]
            is_step = any(o <= clock < c and (clock - o) % shape.step == 0 for o, c in of_day)
            is_open = all(any(o <= minute < c for o, c in of_day) for minute in range(clock, clock + shape.minutes))
            is_free = not any(visit.start < e and s < visit.end for s, e in closed)
            is_free &= not any(blocked.start < e and s < blocked.end for s, e in taken)
            if at >= NOW and is_step and is_open and is_free and (part is None or part.contains(local)):
                found.append((at, therapist.slug))
            at += STEP
    return sorted(found)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(weeks, st.sampled_from([None, *PARTS.values()]))
def test_listed_times_are_those_of_the_oracle_and_each_is_bookable(clinic, week, part):
    service = Service.objects.filter(slug="evaluation").first() or ServiceFactory(
        prepare_minutes=5, turnover_minutes=10
    )
    furnish(week, service, clinic)
    stretch = search_stretch(service, first_day=None, now=NOW, clinic=clinic)
    open_times = read_open_times(service=service, stretch=stretch, now=NOW, clinic=clinic, part=part)
    end = datetime(2026, 11, 23, 5, tzinfo=UTC) + timedelta(days=DAYS)
    listed = [(slot.starts_at, slot.therapist.slug) for slot in open_times.slots if slot.starts_at < end]
    expected = naive_starts(service, clinic, part)
    assert listed == expected
    times = open_times.first()
    assert [time.starts_at for time in times if time.starts_at < end] == sorted({at for at, _ in expected})[:NEXT]
    for slot in open_times.slots[:4]:
        asked = Slot(service, slot.therapist, slot.starts_at)
        require_free(slot=asked, mode="in_person", now=NOW, clinic=clinic, despite_rules=EVERY_RULE)
        assert broken_rules(asked, clinic) == slot.broken


def broken_rules(slot, clinic) -> tuple[Because, ...]:
    try:
        require_free(slot=slot, mode="in_person", now=NOW, clinic=clinic)
    except SlotNotOffered as refusal:
        return refusal.reasons
    return ()


def read(service, clinic, *, first_day=None, now=NOW, **more) -> OpenTimes:
    stretch = search_stretch(service, first_day=first_day, now=now, clinic=clinic)
    return read_open_times(service=service, stretch=stretch, now=now, clinic=clinic, **more)


def test_time_too_soon_for_patients_is_listed_with_its_rule(evaluation, clinic):
    slots = read(evaluation, clinic).slots
    assert [slot.broken for slot in slots[:2]] == [(Because.NOTICE,), (Because.NOTICE,)]
    assert slots[-1].broken == () and all(slot.starts_at >= NOW for slot in slots)


def test_day_at_the_cap_is_left_out(evaluation, clinic):
    evaluation.daily_cap = 1
    evaluation.save()
    book(evaluation)
    assert not read(evaluation, clinic).on(NINE_ON_TUESDAY.date()).slots


def test_second_of_two_equal_local_times_is_left_out(evaluation, meredith, clinic):
    OpeningHours.objects.create(therapist=meredith, weekday=6, opens=time(0), closes=time(4))
    evaluation.horizon_days = 365
    evaluation.save()
    day = datetime(2027, 11, 7).date()
    times = [slot.time for slot in read(evaluation, clinic, first_day=day).on(day).slots]
    assert len({time.local.replace(tzinfo=None) for time in times}) == len(times) and times


def test_nearest_times_are_on_both_sides(evaluation, clinic):
    book(evaluation, starts_at=NINE_ON_TUESDAY + HOUR)
    stretch = stretch_around(NINE_ON_TUESDAY + HOUR, now=NOW, clinic=clinic)
    found = read_open_times(service=evaluation, stretch=stretch, now=NOW, clinic=clinic)
    near = found.nearest(NINE_ON_TUESDAY + HOUR, limit=2)
    assert [time.time.clock for time in near] == ["9:00 AM", "11:00 AM"]


def test_stretch_of_a_search_is_long_enough_and_never_begins_before_today(evaluation, clinic):
    late = datetime(2027, 6, 1).date()
    for first_day in (None, datetime(2020, 1, 1).date(), late):
        stretch = search_stretch(evaluation, first_day=first_day, now=NOW, clinic=clinic)
        assert stretch.start >= NOW - timedelta(days=1)
        assert stretch.end - stretch.start >= timedelta(days=LEAST_DAYS) - HOUR


def test_reading_costs_three_queries(evaluation, clinic, django_assert_num_queries):
    book(evaluation)
    stretch = search_stretch(evaluation, first_day=None, now=NOW, clinic=clinic)
    with django_assert_num_queries(3):
        read_open_times(service=evaluation, stretch=stretch, now=NOW, clinic=clinic)
