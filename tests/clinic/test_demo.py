"""The demo has visits to show on every day of the week and on holidays, and offers no times on federal holidays."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from assessments.models import Flag, FlagFollowUp
from assessments.red_flags.rule_records import read_rule_records
from booking.models import Appointment, Service
from booking.schedule.availability import free_slots
from booking.time.holidays import holidays_between
from clinic.demo.clinic import open_demo_clinic
from clinic.demo.visits import book_demo_visits
from clinic.practice.models import Clinic
from tests.booking.today import read_today

pytestmark = pytest.mark.long

Status = Appointment.Status
DAYS = [date(2026, 11, 29) + timedelta(days=number) for number in range(14)]
DAYS += [date(2026, 11, 26), date(2026, 12, 24), date(2026, 12, 25), date(2026, 12, 26), date(2027, 1, 1)]


def seed(day: date, hour=13) -> datetime:
    """Fill the demo on `day` at `hour` UTC (the default is 8 AM at the clinic) and return that instant."""
    now = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    open_demo_clinic(now=now)
    book_demo_visits(now=now)
    return now


@pytest.fixture
def house(db):
    """The demo clinic without visits, created once for all the days of a test."""
    with time_machine.travel(datetime(2026, 11, 1, 13, tzinfo=UTC)):
        open_demo_clinic(now=datetime(2026, 11, 1, 13, tzinfo=UTC))


QUICK = {date(2026, 11, 29), date(2026, 12, 1), date(2026, 12, 25)}  # a Sunday, a Tuesday and a holiday


@pytest.mark.parametrize(
    "day", [pytest.param(day, id=f"{day:%a-%b-%d}", marks=() if day in QUICK else pytest.mark.long) for day in DAYS]
)
def test_demo_has_visits_to_show_whatever_day_it_is_loaded(day, house):
    now = seed(day)
    today = read_today(now=now)
    is_closed = day.weekday() == 6 or bool(holidays_between(day, day))
    assert today.is_closed == is_closed
    shown = today.next_visits if is_closed else today.visits
    assert len(shown) >= 3
    assert any(visit.is_new for visit in shown) and any(visit.appointment.confirmed_at for visit in shown)
    assert today.gaps or is_closed
    assert today.flagged and today.unmarked and today.failed_messages and today.waiting
    found = {code for record in read_rule_records(now=now) for code, count in record.findings.items() if count}
    assert {"confirmed", "ruled-out"} <= found, "How the rules did has something to show"
    assert FlagFollowUp.objects.filter(outcome="left-message").exists()
    past = Appointment.objects.filter(ends_at__lt=now)
    statuses = set(past.values_list("status", flat=True))
    assert {Status.COMPLETED, Status.CANCELLED, Status.NO_SHOW} <= statuses
    assert past.count() > 20


def test_demo_offers_no_times_on_federal_holidays(house):
    now = seed(date(2026, 12, 1))
    clinic = Clinic.objects.current()
    for service in Service.objects.all():
        for day, is_open in ((date(2026, 12, 24), True), (date(2026, 12, 25), False), (date(2027, 1, 1), False)):
            slots = free_slots(service=service, first_day=day, days=1, now=now, clinic=clinic)
            assert (service.slug, day, bool(slots)) == (service.slug, day, is_open)
    zone = clinic.zone
    days = {visit.starts_at.astimezone(zone).date() for visit in Appointment.objects.all()}
    assert not days & {holiday.on for holiday in holidays_between(min(days), max(days))}


def test_demo_books_only_the_days_that_have_no_visits_when_it_is_loaded_again(house):
    seed(date(2026, 12, 1))
    before = Appointment.objects.count()
    assert book_demo_visits(now=datetime(2026, 12, 1, 14, tzinfo=UTC)) == 0
    assert 0 < book_demo_visits(now=datetime(2026, 12, 3, 13, tzinfo=UTC)) < 10
    assert Appointment.objects.count() > before
    assert len(read_today(now=datetime(2026, 12, 3, 13, tzinfo=UTC)).visits) >= 2


def test_demo_shows_a_trend_when_a_patient_has_answered_twice(house):
    seed(date(2026, 12, 1))
    brandts = Appointment.objects.filter(patient__name="Walter Brandt", intake__isnull=False)
    assert [visit.intake.progress for visit in brandts] == ["done", "done"]
    assert Flag.objects.open().exists()
