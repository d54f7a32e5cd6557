from decimal import Decimal

import pytest

from assessments.red_flag_rules.training_load import spike_band, spike_ratio


@pytest.mark.parametrize(
    ("ratio", "band"),
    [
        ("1.10", "reference"),
        ("1.1001", "small"),
        ("1.30", "small"),
        ("1.3001", "moderate"),
        ("2.00", "moderate"),
        ("2.01", "large"),
        ("0.2", "reference"),
    ],
)
def test_band_ends_where_the_study_ends_it(ratio, band):
    assert spike_band(Decimal(ratio)) == band


def test_no_run_before_is_no_baseline_and_not_endless():
    assert spike_ratio(Decimal(5), None) is None
    assert spike_ratio(Decimal(5), Decimal(0)) is None
    assert spike_band(None) == "no_baseline"
    assert spike_ratio(Decimal(11), Decimal(10)) == Decimal("1.1")
