"""A clock that runs FACTOR times as fast as real time. All processes read its start from the environment."""

import os
import time
from datetime import UTC, datetime, timedelta

FACTOR = float(os.environ.get("STORM_FACTOR", "120"))  # by default, an hour takes half a minute
HOURS = float(os.environ.get("STORM_HOURS", "6"))
BEGINNING = datetime(2026, 11, 30, 21, tzinfo=UTC)  # Monday, 4:00 PM in New York


def storm_time(at: float | None = None) -> datetime:
    """Return the time on the storm's clock, now or at the real timestamp `at`."""
    elapsed = (time.time() if at is None else at) - float(os.environ["STORM_BEGAN"])
    return BEGINNING + timedelta(seconds=elapsed * FACTOR)
