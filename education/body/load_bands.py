"""Compare one run with the longest of the 30 days before it. Pure.

Source of the bands: doi:10.1136/bjsports-2024-109380. Adjusted hazard rate ratios, relative to runs at most 10% longer,
are 1.64 (small), 1.52 (moderate) and 2.28 (large). They do not increase with the bands, so a band is shown and never a
probability. The study was observational and not about hips.
"""

from dataclasses import dataclass
from decimal import Decimal

LIMITS = ((Decimal("1.10"), "reference"), (Decimal("1.30"), "small"), (Decimal("2.00"), "moderate"))


def distance_ratio(distance: Decimal, longest: Decimal | None) -> Decimal | None:
    """Divide `distance` by the `longest` run of the 30 days before, in the same unit. None without such a run."""
    return distance / longest if longest and longest > 0 else None


def load_band(ratio: Decimal | None) -> str:
    """Return the band of a ratio: "reference", "small", "moderate", "large", or "no_baseline" for None.

    A limit belongs to the band below it.
    """
    if ratio is None:
        return "no_baseline"
    return next((band for limit, band in LIMITS if ratio <= limit), "large")


@dataclass(frozen=True)
class Comparison:
    """A planned run and the longest recent run, in one unit. `longest` is None without a run to compare with."""

    plan: Decimal
    longest: Decimal | None

    @property
    def band(self) -> str:
        """The band of the plan, see `load_band`."""
        return load_band(distance_ratio(self.plan, self.longest))

    @property
    def percent_longer(self) -> Decimal | None:
        """The percentage by which the plan is longer. Negative if it is shorter, None without a run to compare with."""
        ratio = distance_ratio(self.plan, self.longest)
        return None if ratio is None else (ratio - 1) * 100


def compare_with_longest(plan: Decimal, runs: list[Decimal]) -> Comparison:
    """Compare `plan` with the longest of `runs`."""
    return Comparison(plan, max(runs, default=None))
