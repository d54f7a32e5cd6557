"""Scores over time: a change is reported only from the minimal detectable change on, and never across versions."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessments.intake.trend import count_other_versions
from assessments.questionnaire.score_change import THRESHOLDS, Threshold, is_change
from assessments.red_flags.definitions import store_definition
from tests.assessments.intake.trends import fill, trend_of
from tests.world import NOW

MAYBE = st.none() | st.integers(0, 300).map(lambda tenths: Decimal(tenths) / 10)
TENTHS = st.integers(0, 1000).map(lambda tenths: Decimal(tenths) / 10)


@given(before=TENTHS, after=TENTHS, mdc=MAYBE, mcid=MAYBE)
def test_change_must_reach_both_the_detectable_and_the_important_difference(before, after, mdc, mcid):
    said = is_change(before, after, Threshold(mdc, mcid, "drawn"))
    limits = [limit for limit in (mdc, mcid) if limit is not None]
    assert said is (None if not limits else all(abs(after - before) >= limit for limit in limits))


@pytest.mark.parametrize("measure", sorted(THRESHOLDS))
def test_every_threshold_names_its_source(measure):
    assert THRESHOLDS[measure].source and THRESHOLDS[measure].smallest_change > 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("later", "verdict"), [(5, "within chance"), (6, "change (2 or more)"), (2, "change (2 or more)"), (4, "within")]
)
def test_trend_reports_a_change_from_two_points_on(loaded, alice, later, verdict):
    fill(alice, weeks=0, able=4)
    trend = trend_of(fill(alice, weeks=6, able=later))
    assert [point.value for point in trend.points] == [Decimal(4), Decimal(later)]
    assert trend.delta == later - 4
    assert trend.verdict.startswith(verdict)


@pytest.mark.django_db
def test_first_response_is_the_baseline_and_other_patients_do_not_count(loaded, alice, bob):
    fill(bob, weeks=0, able=9)
    trend = trend_of(fill(alice, weeks=1), "pain.worst24")
    assert (trend.verdict, trend.delta, len(trend.points)) == ("baseline", None, 1)


@pytest.mark.django_db
def test_scores_of_another_version_are_never_compared(loaded, alice):
    fill(alice, weeks=0, able=1)
    newer = loaded[-1].definition | {"version": "3"}
    store_definition(newer, now=NOW)
    response = fill(alice, weeks=2, able=9)
    assert response.questionnaire.version == 3
    assert trend_of(response).verdict == "baseline"
    assert count_other_versions(response) == 1


@pytest.mark.django_db
def test_summary_shows_the_trend_with_its_source(client, loaded, alice, charlie):
    fill(alice, weeks=0, able=2)
    response = fill(alice, weeks=6, able=7)
    client.force_login(charlie)
    text = client.get(f"/admin/assessments/response/{response.pk}/change/").text
    assert "change (2 or more)" in text
    assert "MDC90" in text
