"""The time zones this machine knows. Pure."""

from functools import cache
from zoneinfo import ZoneInfo, available_timezones


@cache
def zone_names() -> frozenset[str]:
    """IANA names ("America/New_York"). Read once: looking walks through a folder of six hundred files."""
    return frozenset(available_timezones())


def known_zone(name: str) -> ZoneInfo | None:
    """The zone called `name`; None for an empty name, and for one that is not, or no longer, a zone."""
    return ZoneInfo(name) if name in zone_names() else None
