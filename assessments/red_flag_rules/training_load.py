"""One run against the month before it. Pure.

Adjusted hazard rate ratios against runs of at most 10 % more: 1.64 (small), 1.52 (moderate), 2.28 (large); they do not
rise in order, so a band is shown and never a probability. Observational, not about hips. doi:10.1136/bjsports-2024-109380
"""

from decimal import Decimal

BANDS = ((Decimal("1.10"), "reference"), (Decimal("1.30"), "small"), (Decimal("2.00"), "moderate"))


def spike_ratio(distance: Decimal, longest_before: Decimal | None) -> Decimal | None:
    """`distance` over the longest run of the 30 days before, in the same unit; None where there was no run."""
    return distance / longest_before if longest_before else None


def spike_band(ratio: Decimal | None) -> str:
    """The band of a ratio: "reference" up to 1.10, "small" to 1.30, "moderate" to 2.00, else "large"."""
    if ratio is None:
        return "no_baseline"
    return next((band for limit, band in BANDS if ratio <= limit), "large")
