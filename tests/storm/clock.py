"""A clock that runs faster: every process of the storm reads the same one from its environment."""

import os
import time
from datetime import UTC, datetime, timedelta

FACTOR = float(os.environ.get("STORM_FACTOR", "120"))  # an hour in half a minute
HOURS = float(os.environ.get("STORM_HOURS", "6"))
BEGINNING = datetime(2026, 11, 30, 21, tzinfo=UTC)  # a Monday, four in the afternoon in New York


def storm_time(at: float | None = None) -> datetime:
    """What the storm's clock shows now, or at the real instant `at`."""
    elapsed = (time.time() if at is None else at) - float(os.environ["STORM_BEGAN"])
    return BEGINNING + timedelta(seconds=elapsed * FACTOR)
