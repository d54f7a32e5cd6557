"""Decide whether two scores of one patient differ by at least the measurement error, and by enough to matter. Pure.

MDC: minimal detectable change; MCID: minimal clinically important difference. Each is valid for one version of one
instrument, so scores of different versions are never compared.
"""

from dataclasses import dataclass
from decimal import Decimal

from assessments.known_questions import PAIN_NOW, WORST_PAIN


@dataclass(frozen=True, slots=True)
class Threshold:
    """The published MDC and MCID of a measure, in its points; None if none was found. `source` names the paper."""

    mdc: Decimal | None
    mcid: Decimal | None
    source: str

    @property
    def smallest_change(self) -> Decimal | None:
        """The larger of MDC and MCID, or the one that is known; None if neither is."""
        return max((one for one in (self.mdc, self.mcid) if one is not None), default=None)


def _threshold(mdc: str | None, mcid: str | None, source: str) -> Threshold:
    return Threshold(Decimal(mdc) if mdc else None, Decimal(mcid) if mcid else None, source)


_RATING = _threshold("1.77", "2", "0 to 10 rating: MDC doi:10.1055/a-1304-3677, important difference Farrar 2001")
_PATIENT_SPECIFIC = _threshold("2", None, "patient-specific method, MDC90 of the mean")
THRESHOLDS = {
    "my-activities": _PATIENT_SPECIFIC,
    "psfs": _PATIENT_SPECIFIC,
    PAIN_NOW: _RATING,
    WORST_PAIN: _RATING,
    "uwri": _threshold("4.1", "8", "doi:10.2519/jospt.2019.8868; MDC95 from SEM 1.47"),
    "lefs": _threshold("9", "9", "Binkley 1999, MDC90"),
    "ihot-12": _threshold("8.9", "14", "PMID 40123108, not operated; MDC PMC7253559"),
}


def threshold_of(measure: str) -> Threshold | None:
    """Return the threshold of `measure`; None if it is not in THRESHOLDS."""
    return THRESHOLDS.get(measure)


def is_change(before: Decimal, after: Decimal, threshold: Threshold) -> bool | None:
    """Return whether `after` differs from `before` by the smallest change or more; None if that change is unknown."""
    smallest = threshold.smallest_change
    return None if smallest is None else abs(after - before) >= smallest
