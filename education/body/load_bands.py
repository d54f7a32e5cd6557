"""A run beside the longest of the 30 days before it, as a reader works it out. Pure.

Bands of doi:10.1136/bjsports-2024-109380: adjusted injury rates 1.64 (small), 1.52 (moderate), 2.28 (large) against runs of at
most 10 % more. They do not rise in order, so a band is named and never a chance. Observational, and not about hips.
"""

from dataclasses import dataclass
from decimal import Decimal

LIMITS = ((Decimal("1.10"), "reference"), (Decimal("1.30"), "small"), (Decimal("2.00"), "moderate"))


@dataclass(frozen=True)
class Comparison:
    """A plan beside the longest run, in one unit; `longest` and `percent_longer` are None where there was no run."""

    plan: Decimal
    longest: Decimal | None
    band: str

    @property
    def percent_longer(self) -> Decimal | None:
        """By how many percent the plan is longer; negative if it is shorter."""
        return (self.plan / self.longest - 1) * 100 if self.longest else None


def compare_with_longest(plan: Decimal, runs: list[Decimal]) -> Comparison:
    """`plan` beside the longest of `runs`; its band is "reference", "small", "moderate", "large" or "no_baseline"."""
    longest = max(runs, default=None)
    if not longest:
        return Comparison(plan, None, "no_baseline")
    ratio = plan / longest
    return Comparison(plan, longest, next((band for limit, band in LIMITS if ratio <= limit), "large"))
