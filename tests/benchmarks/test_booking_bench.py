"""Benchmarks of a month of free times, beside a naive implementation, and of many clients booking at once."""

import multiprocessing
import statistics
import threading
import time as clock
import uuid
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import connection, connections
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from booking.models import Appointment, HoursOverride, OpeningHours
from booking.schedule.availability import free_slots
from booking.schedule.errors import SlotNotOffered
from clinic.practice.models import Patient, Therapist
from tests.factories import ClinicFactory, ServiceFactory
from tests.world import NOW, TUESDAY, book, make_therapist

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

DAYS, CLIENTS, PROCESSES = 31, 64, 4


@pytest.fixture
def clinic(db):
    return ClinicFactory(minimum_notice_minutes=0, horizon_days=366)


@pytest.fixture
def service(clinic):
    return ServiceFactory(slug="visit", start_step_minutes=15)


def add_therapist(service, name="Meredith") -> Therapist:
    therapist = make_therapist(name)
    service.therapists.add(therapist)
    return therapist


def fill_schedule(service, therapist, number: int, first: date = TUESDAY) -> None:
    """Create `number` visits, spread evenly over DAYS from `first`. Each lasts an hour, or less to avoid overlaps."""
    patient, _ = Patient.objects.get_or_create(name="Bench", email="bench@example.com", defaults={"created_at": NOW})
    step = timedelta(days=DAYS) / number
    length = min(step, timedelta(hours=1))
    start = datetime.combine(first, time(5), tzinfo=UTC)
    rows = []
    for place in range(number):
        begins = start + place * step
        rows.append(
            Appointment(
                reference=f"B{place:07d}",
                therapist=therapist,
                patient=patient,
                service=service,
                mode="in_person",
                starts_at=begins,
                ends_at=begins + length,
                blocked=DateTimeTZRange(begins, begins + length),
                status="booked",
                idempotency_key=uuid.uuid4(),
                price_cents=service.price_cents,
                created_at=NOW,
            )
        )
    Appointment.objects.bulk_create(rows, batch_size=1000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE booking_appointment")


def naive_month(service, therapist, clinic) -> list[datetime]:
    """Return the free starts by the naive method: query the visits for each possible start of each day."""
    found = []
    for offset in range(DAYS):
        day = TUESDAY + timedelta(days=offset)
        for hours in OpeningHours.objects.filter(therapist=therapist, weekday=day.weekday()):
            start = datetime.combine(day, hours.opens, tzinfo=clinic.zone).astimezone(UTC)
            closes = datetime.combine(day, hours.closes, tzinfo=clinic.zone).astimezone(UTC)
            while start + timedelta(minutes=service.minutes) <= closes:
                blocked = service.shape.blocked(start)
                is_closed = HoursOverride.objects.filter(starts_at__lt=blocked.end, ends_at__gt=start).exists()
                if not is_closed and not any(
                    row.blocked.lower < blocked.end and blocked.start < row.blocked.upper
                    for row in Appointment.objects.filter(
                        therapist=therapist, status="booked", starts_at__date__range=(day, day + timedelta(days=1))
                    )
                ):
                    found.append(start)
                start += timedelta(minutes=service.start_step_minutes)
    return sorted(found)


def median_ms(function, times: int) -> float:
    took = []
    for _ in range(times):
        began = clock.perf_counter()
        function()
        took.append((clock.perf_counter() - began) * 1000)
    return statistics.median(took)


def test_a_month_of_free_times(service, clinic):
    print(f"\n{'bookings':>9} {'queries':>8} {'ours ms':>9} {'naive ms':>10} {'ratio':>7} {'slots':>6}")
    ours_by_size = {}
    for number in (60, 6000):
        therapist = add_therapist(service, f"Therapist{number}")
        fill_schedule(service, therapist, number)

        def month(therapist=therapist):
            return free_slots(
                service=service, first_day=TUESDAY, days=DAYS, now=NOW, clinic=clinic, therapist=therapist
            )

        with CaptureQueriesContext(
            connection,
        ) as queries:
            slots = month()
        assert len(queries) <= 3
        assert [slot.starts_at for slot in slots] == naive_month(service, therapist, clinic)
        ours = ours_by_size[number] = median_ms(month, 9)
        naive = median_ms(lambda therapist=therapist: naive_month(service, therapist, clinic), 1)
        print(f"{number:>9} {len(queries):>8} {ours:>9.1f} {naive:>10.0f} {naive / ours:>7.0f} {len(slots):>6}")
        assert naive / ours >= 50
        Appointment.objects.all().delete()
    print(f"a hundred times the bookings take {ours_by_size[6000] / ours_by_size[60]:.1f} times as long")
    assert ours_by_size[6000] / ours_by_size[60] < 100


def test_a_month_of_free_times_in_one_request(service, clinic, client):
    """Compare one request for the month's page, template included, with one request for each of its working days."""
    print(f"\n{'bookings':>9} {'queries':>8} {'month ms':>9} {'23 days ms':>11} {'ratio':>6}")
    first = timezone.localdate(timezone=clinic.zone) + timedelta(days=1)
    days = [first + timedelta(days=number) for number in range(33) if (first + timedelta(days=number)).weekday() < 5]
    for number in (60, 6000):
        fill_schedule(service, add_therapist(service, f"Therapist{number}"), number, first=first)
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/book/visit/").status_code == 200
        asked = len(queries)
        month = median_ms(lambda: client.get("/book/visit/"), 9)
        each = median_ms(lambda: [client.get(f"/book/visit/{day}/") for day in days[:23]], 3)
        print(f"{number:>9} {asked:>8} {month:>9.1f} {each:>11.0f} {each / month:>6.1f}")
        assert asked <= (8 if number == 60 else 11)  # a full month also searches for the next free time
        assert each / month >= 3
        Appointment.objects.all().delete()
        service.therapists.clear()


def everybody_at_once(runners, *, warm_up) -> tuple[list[tuple[float, str]], Counter]:
    """Start all `runners` at once, each on its own connection, in PROCESSES processes.

    Return ([(milliseconds, type name of the outcome)], {type name: count}). `warm_up` runs first on each connection,
    because production connections are already open.
    """
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    gate, answers = fork.Barrier(len(runners)), fork.SimpleQueue()
    servers = [
        fork.Process(target=_serve, args=(runners[place::PROCESSES], warm_up, gate, answers))
        for place in range(PROCESSES)
    ]
    for server in servers:
        server.start()
    came = [answers.get() for _ in runners]
    for server in servers:
        server.join(timeout=60)
    return came, Counter(name for _, name in came)


def _serve(runners, warm_up, gate, answers) -> None:
    def run(runner):
        warm_up()
        gate.wait(timeout=60)
        began = clock.perf_counter()
        try:
            outcome = runner()
        except Exception as refusal:  # the caller asserts on the type names, so any other exception fails the test
            outcome = refusal
        took = (clock.perf_counter() - began) * 1000
        connections.close_all()
        answers.put((took, type(outcome).__name__))

    threads = [threading.Thread(target=run, args=(runner,)) for runner in runners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def p99(values: list[float]) -> float:
    return sorted(values)[max(0, round(len(values) * 0.99) - 1)]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # the children use none of their parent's threads
def test_booking_with_64_clients(service, clinic):
    therapists = [add_therapist(service, f"Therapist{number}") for number in range(8)]
    nine = datetime(2026, 12, 1, 14, tzinfo=UTC)
    free = [
        (therapist, nine + timedelta(hours=hour, days=day))
        for therapist in therapists
        for hour in (0, 1, 4, 5)
        for day in (0, 1)
    ]

    def booking(number, therapist, starts_at):
        return lambda: book(service, therapist=therapist, starts_at=starts_at, now=NOW, name=f"Runner {number}")

    def ask_for_yesterday():
        with pytest.raises(SlotNotOffered):
            book(service, therapist=therapists[-1], starts_at=NOW - timedelta(days=1), now=NOW)

    came, counts = everybody_at_once([booking(n, *free[n]) for n in range(CLIENTS)], warm_up=ask_for_yesterday)
    assert counts == {"Appointment": CLIENTS}
    took = [ms for ms, _ in came]
    print(
        f"\n{CLIENTS} clients, {CLIENTS} slots in 8 schedules: p50 {statistics.median(took):.0f} ms, p99 {p99(took):.0f} ms"
    )
    losers, winners = [], []
    for hour in (0, 1, 4, 5):
        at = nine + timedelta(days=2, hours=hour)
        rivals = [booking(100 + n, therapists[0], at) for n in range(CLIENTS)]
        came, counts = everybody_at_once(rivals, warm_up=ask_for_yesterday)
        assert counts == {"Appointment": 1, "SlotTaken": CLIENTS - 1}
        losers += [ms for ms, name in came if name == "SlotTaken"]
        winners += [ms for ms, name in came if name == "Appointment"]
    print(
        f"{CLIENTS} clients, one slot, {len(winners)} rounds: the winner {statistics.median(winners):.0f} ms,", end=" "
    )
    print(f"losers p50 {statistics.median(losers):.0f} ms, p99 {p99(losers):.0f} ms")
