"""What the calendar reads: visits of every state, buffers, gaps, the wait list, hours and closures."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from booking.actions.attend import mark_arrived, mark_no_show, mark_started, undo_start
from booking.actions.change import cancel_appointment
from booking.actions.hold import hold_time
from booking.models import Appointment, HoursOverride, OpeningHours
from booking.schedule.slots import Slot
from booking.wait_list.entries import Wishes
from booking.week.blocks import (
    BOOKED,
    CANCELED,
    CONFIRMED,
    DONE,
    HELD,
    HERE,
    MISSED,
    NOT_COMING,
    UNMARKED,
    WAITING,
    mark_of,
)
from booking.week.layout import Lane, Span
from booking.week.reading import Gap, read_calendar
from clinic.practice.models import Clinic, Therapist
from tests.booking.waiting import wait, wait_with
from tests.world import DAY, HOUR, MINUTE, NINE_ON_TUESDAY, NOW, TUESDAY, book, make_therapist

MONDAY = TUESDAY - DAY
NINE, TEN = 9 * 60, 10 * 60


def read(*, first_day=TUESDAY, days=1, now=NOW, therapist=None):
    return read_calendar(first_day=first_day, days=days, therapist=therapist, now=now, clinic=Clinic.objects.current())


def column_of(therapist, **changes):
    [day] = read(**changes).days
    return next(column for column in day.columns if column.therapist == therapist)


def gaps_of(column) -> list[Gap]:
    return [item.subject for item in column.items if isinstance(item.subject, Gap)]


def clock_of(gap) -> str:
    zone = Clinic.objects.current().zone
    return " - ".join(f"{one.astimezone(zone):%H:%M}" for one in (gap.interval.start, gap.interval.end))


def hold(service, starts_at, now=NOW):
    slot = Slot(service, service.therapists.get(), starts_at)
    return hold_time(slot=slot, idempotency_key=uuid.uuid4(), now=now)


def test_visit_is_drawn_with_its_buffers_and_its_terms(evaluation, meredith):
    evaluation.prepare_minutes = 10
    evaluation.save()
    visit = book(evaluation)
    [item] = [one for one in column_of(meredith).items if one.subject == visit]
    assert (item.span, item.visit_span) == (Span(NINE - 10, TEN), Span(NINE, NINE + 45))
    assert item.lane == Lane(0, 1)
    shown = item.subject
    assert (shown.patient_name, shown.service_name, shown.step) == ("Alice Runner", "Evaluation", 30)


def test_hold_is_shown_until_it_expires(evaluation, meredith):
    held = hold(evaluation, NINE_ON_TUESDAY)
    assert held in column_of(meredith).visits
    assert held not in column_of(meredith, now=held.hold_expires_at).visits


def test_canceled_visit_gives_its_time_to_a_gap_and_both_have_a_lane(evaluation, meredith):
    visit = book(evaluation, starts_at=NINE_ON_TUESDAY + HOUR)
    cancel_appointment(appointment=visit, now=NOW)
    column = column_of(meredith)
    assert [clock_of(gap) for gap in gaps_of(column)] == ["09:00 - 12:00", "13:00 - 17:00"]
    lanes = {item.lane for item in column.items if item.span.first < 12 * 60}
    assert lanes == {Lane(0, 2), Lane(1, 2)}


def test_gaps_are_open_time_from_now_on_of_fifteen_minutes_or_more(evaluation, call, meredith):
    book(evaluation)  # until 9:45, and 15 minutes after
    book(call, starts_at=NINE_ON_TUESDAY + HOUR + 15 * MINUTE)
    book(call, starts_at=NINE_ON_TUESDAY + 2 * HOUR, name="Bob")
    HoursOverride.objects.create(
        kind="closure",
        therapist=meredith,
        starts_at=NINE_ON_TUESDAY + 4 * HOUR,
        ends_at=NINE_ON_TUESDAY + 7 * HOUR + 50 * MINUTE,
    )
    ahead = ["10:00 - 10:15", "10:30 - 11:00", "11:15 - 12:00"]
    assert [clock_of(gap) for gap in gaps_of(column_of(meredith))] == ahead  # 10 minutes before closing are too short
    late = NINE_ON_TUESDAY + HOUR + 42 * MINUTE + timedelta(seconds=30)
    assert [clock_of(gap) for gap in gaps_of(column_of(meredith, now=late))] == ["10:45 - 11:00", "11:15 - 12:00"]


def test_hours_by_phone_only_are_kept_and_have_gaps(evaluation, meredith):
    OpeningHours.objects.create(therapist=meredith, weekday=1, opens="07:00", closes="08:00", mode="call_us")
    column = column_of(meredith)
    assert (column.kept, column.opened[0]) == ([Span(7 * 60, 8 * 60)], Span(NINE, 12 * 60))
    assert clock_of(gaps_of(column)[0]) == "07:00 - 08:00"


def test_gap_names_those_on_the_wait_list_whom_it_suits(evaluation, call, meredith):
    wait(evaluation)
    wait(call, "Afterwork Ann", wishes=Wishes(TUESDAY, TUESDAY, "after-work"))
    wait(evaluation, "Wednesday Will", wishes=Wishes(TUESDAY + DAY, TUESDAY + DAY))
    early = book(evaluation, starts_at=NINE_ON_TUESDAY - DAY, name="Early Eve")
    wait_with(early)  # would not gain by a later time
    morning, afternoon = gaps_of(column_of(meredith))
    assert [one.name for one in morning.waiting] == ["Walter Waiting"]
    assert {one.name for one in afternoon.waiting} == {"Walter Waiting", "Afterwork Ann"}


def test_gap_that_is_too_short_for_the_service_matches_no_one(evaluation, call, meredith):
    book(evaluation, starts_at=NINE_ON_TUESDAY + 30 * MINUTE)
    wait(evaluation)
    first = gaps_of(column_of(meredith))[0]
    assert (clock_of(first), first.waiting) == ("09:00 - 09:30", ())


def test_inactive_therapist_is_shown_while_they_have_visits_but_has_no_gaps(evaluation, meredith):
    nora = make_therapist("Nora", position=1)
    visit = book(evaluation)
    Therapist.objects.update(is_active=False)
    [day] = read().days
    [column] = day.columns
    assert (column.therapist, column.visits, gaps_of(column), column.opened) == (meredith, [visit], [], [])
    assert nora not in [one.therapist for one in day.columns]


def test_one_therapist_is_shown_alone(evaluation, meredith):
    nora = make_therapist("Nora", position=1)
    book(evaluation)
    [column] = read(therapist=nora).days[0].columns
    assert (column.therapist, column.visits) == (nora, [])


def test_closed_day_has_its_reason_and_the_others_do_not(evaluation, meredith):
    noon = datetime(2026, 12, 25, 17, tzinfo=UTC)
    HoursOverride.objects.create(kind="closure", starts_at=noon - 12 * HOUR, ends_at=noon + 12 * HOUR, note="Holiday")
    days = {day.day: day for day in read(first_day=date(2026, 12, 21), days=7).days}
    christmas, sunday, monday = days[date(2026, 12, 25)], days[date(2026, 12, 27)], days[date(2026, 12, 21)]
    assert (christmas.is_closed, sunday.is_closed, monday.is_closed) == (True, True, False)
    [(span, closure)] = christmas.columns[0].closures
    assert (span, closure.note) == (Span(0, 24 * 60), "Holiday")
    assert christmas.holiday and not monday.holiday


def test_week_of_the_clock_change_has_a_gap_of_the_same_hours_each_day(evaluation, meredith):
    for first in (date(2026, 3, 2), date(2026, 10, 26)):
        OpeningHours.objects.update_or_create(
            therapist=meredith, weekday=6, defaults={"opens": "09:00", "closes": "12:00"}
        )
        now = datetime(first.year, first.month, first.day, 5, tzinfo=UTC)
        days = read(first_day=first, days=7, now=now).days
        mornings = {next(item.span for item in day.columns[0].items) for day in days if day.columns[0].items}
        assert len(mornings) == 1
        assert [day.now for day in days[1:]] == [None] * 6


@pytest.mark.parametrize("number", [1, 4])
def test_number_of_queries_does_not_depend_on_days_or_visits(evaluation, call, meredith, number):
    for place in (0, 1, 2, 4)[:number]:
        book(call, starts_at=NINE_ON_TUESDAY + place * HOUR, name=f"Runner {place}")
        wait(evaluation, f"Waiter{place} W")
    with CaptureQueriesContext(connection) as queries:
        read(first_day=TUESDAY - DAY, days=7)
    assert len(queries) == 6  # the clinic, three for the schedules, two for the wait list


def test_each_state_has_its_own_mark(evaluation, charlie):
    visit = book(evaluation)
    assert mark_of(visit, now=NOW) == BOOKED
    Appointment.objects.filter(pk=visit.pk).update(confirmed_at=NOW)
    assert mark_of(fresh(visit), now=NOW) == CONFIRMED
    assert mark_of(fresh(visit), now=visit.ends_at) == UNMARKED
    Appointment.objects.filter(pk=visit.pk).update(not_coming_at=NOW)
    assert mark_of(fresh(visit), now=NOW) == NOT_COMING
    Appointment.objects.filter(pk=visit.pk).update(here_at=visit.starts_at)
    assert mark_of(fresh(visit), now=visit.starts_at) == WAITING
    assert mark_of(fresh(visit), now=visit.ends_at) == UNMARKED
    mark_arrived(appointment=visit, by=charlie, now=visit.starts_at)
    assert mark_of(fresh(visit), now=visit.starts_at) == WAITING
    mark_started(appointment=visit, by=charlie, now=visit.starts_at + MINUTE)
    assert mark_of(fresh(visit), now=visit.starts_at) == HERE
    undo_start(appointment=visit, by=charlie, now=visit.starts_at)
    assert mark_of(fresh(visit), now=visit.ends_at) == DONE
    mark_no_show(appointment=visit, by=charlie, now=visit.ends_at)
    assert mark_of(fresh(visit), now=visit.ends_at) == MISSED
    canceled = book(evaluation, starts_at=NINE_ON_TUESDAY + 2 * HOUR, name="Bob")
    cancel_appointment(appointment=canceled, now=NOW)
    assert mark_of(fresh(canceled), now=NOW) == CANCELED
    assert mark_of(hold(evaluation, NINE_ON_TUESDAY + 5 * HOUR), now=NOW) == HELD


def test_marks_differ_without_color(db):
    marks = (BOOKED, CONFIRMED, WAITING, HERE, DONE, UNMARKED, NOT_COMING, MISSED, CANCELED, HELD)
    assert len({mark.word for mark in marks}) == len(marks)
    assert len({(mark.css, mark.letter) for mark in marks}) == len(marks)


def fresh(visit):
    return Appointment.objects.get(pk=visit.pk)
