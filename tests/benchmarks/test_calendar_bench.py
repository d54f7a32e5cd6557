"""Benchmark of the calendar: a week of 500 visits beside an empty page of the admin, in one run."""

import statistics
import time as clock

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.booking.week.filling import fill_week
from tests.world import NOW, TUESDAY

pytestmark = [pytest.mark.bench, pytest.mark.django_db]

EMPTY, CALENDAR = "/admin/booking/waitlistentry/", "/admin/booking/appointment/calendar/"
VISITS, ROUNDS, MOST_TIMES, MOST_QUERIES = 500, 15, 3, 15


def took_ms(function) -> float:
    began = clock.perf_counter()
    function()
    return (clock.perf_counter() - began) * 1000


def test_a_week_of_500_visits_beside_an_empty_page(client, owner, clinic):
    """Both are requested in turn, so that a busy machine slows both."""
    with time_machine.travel(NOW, tick=False):
        client.force_login(owner)
        fill_week(VISITS)

        def empty():
            assert client.get(EMPTY).status_code == 200

        def week():
            return client.get(CALENDAR, {"view": "week", "day": TUESDAY.isoformat()})

        empty(), week()
        with CaptureQueriesContext(connection) as queries:
            page = week()
        count = len(queries)  # the next request clears the log
        assert page.text.count('class="cal-visit ') == VISITS
        rounds = [(took_ms(empty), took_ms(week)) for _ in range(ROUNDS)]
    own, full = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"\n{'visits':>7} {'queries':>8} {'week ms':>8} {'empty page ms':>14} {'ratio':>6}")
    print(f"{VISITS:>7} {count:>8} {full:>8.1f} {own:>14.1f} {full / own:>6.1f}")
    assert count <= MOST_QUERIES
    assert full / own <= MOST_TIMES
