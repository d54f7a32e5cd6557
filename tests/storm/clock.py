"""A clock that runs faster: every process of the storm reads the same one from its environment."""

import os
import time
from datetime import UTC, datetime, timedelta

FACTOR = 360  # an hour in ten seconds
NOON = datetime(2026, 11, 30, 17, tzinfo=UTC)  # a Monday, noon in New York: where the storm begins


def storm_time(at: float | None = None) -> datetime:
    """What the storm's clock shows now, or at the real instant `at`."""
    elapsed = (time.time() if at is None else at) - float(os.environ["STORM_BEGAN"])
    return NOON + timedelta(seconds=elapsed * FACTOR)
