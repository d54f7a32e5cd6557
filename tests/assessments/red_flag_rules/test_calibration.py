"""Counts of how the rules did, against counts made the long way."""

from datetime import UTC, datetime, timedelta
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessments.red_flag_rules.calibration import FEW, Wait, count_waits, format_wait

NOON = datetime(2026, 12, 1, 17, 0, tzinfo=UTC)
minutes = st.integers(0, 3000).map(lambda count: timedelta(minutes=count))


@st.composite
def waits(draw):
    raised_at = NOON - draw(minutes)
    seen_after = draw(st.none() | minutes)
    return Wait(
        rule_id=draw(st.sampled_from(["RF01", "RF16"])),
        rule_version=draw(st.integers(1, 2)),
        raised_at=raised_at,
        seen_at=None if seen_after is None else raised_at + seen_after,
        within=draw(st.sampled_from([None, timedelta(minutes=30), timedelta(hours=4)])),
        outcomes=frozenset(draw(st.sets(st.sampled_from(["talked", "referred"])))),
        finding=draw(st.sampled_from(["", "confirmed", "ruled-out", "unknown"])),
    )


@given(st.lists(waits(), max_size=30))
def test_counts_are_those_made_the_long_way(given_waits):
    records = count_waits(given_waits, now=NOON)
    keys = [(record.rule_id, record.version) for record in records]
    assert keys == sorted({(wait.rule_id, wait.rule_version) for wait in given_waits})
    for record in records:
        mine = [wait for wait in given_waits if (wait.rule_id, wait.rule_version) == (record.rule_id, record.version)]
        waited = [(wait.seen_at - wait.raised_at).total_seconds() // 60 for wait in mine if wait.seen_at]
        timed = [wait for wait in mine if wait.within]
        in_time = [wait for wait in timed if wait.seen_at and wait.seen_at < wait.raised_at + wait.within]
        pending = [wait for wait in timed if not wait.seen_at and wait.raised_at + wait.within > NOON]
        assert (record.raised, record.seen) == (len(mine), len(waited))
        assert (record.in_time, record.due) == (len(in_time), len(timed) - len(pending))
        assert record.median_minutes == (round(median(waited)) if waited else None)
        for code in ("talked", "referred"):
            assert record.outcomes[code] == sum(code in wait.outcomes for wait in mine)
        judged = [wait for wait in mine if wait.finding in ("confirmed", "ruled-out")]
        assert record.has_few == (len(judged) < FEW)


def test_clock_behind_the_patients_request_makes_no_negative_wait():
    wait = Wait(rule_id="RF01", rule_version=1, raised_at=NOON, seen_at=NOON - timedelta(seconds=9))
    assert wait.minutes == 0


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 minutes"),
        (1, "1 minute"),
        (60, "1 hour"),
        (185, "3 hours 5 minutes"),
        (2879, "47 hours 59 minutes"),
        (2880, "2 days"),
        (9908, "6 days 21 hours"),
    ],
)
def test_wait_is_written_in_minutes_hours_or_days(count, text):
    assert format_wait(count) == text
