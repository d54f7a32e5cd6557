"""The time zones this machine knows. Pure."""

from functools import cache
from zoneinfo import available_timezones


@cache
def zone_names() -> frozenset[str]:
    """IANA names ("America/New_York"). Read once: looking walks through a folder of six hundred files."""
    return frozenset(available_timezones())
