"""Durations as staff read and type them, like "2 days". Pure."""

import re

UNITS = {"minute": 1, "hour": 60, "day": 24 * 60}  # in minutes
_SPAN = re.compile(r"(\d{1,6}) ?(m|min|mins|minutes?|h|hrs?|hours?|d|days?)?", re.IGNORECASE)


def format_span(minutes: int) -> str:
    """Return `minutes` as text, like "2 days", "36 hours" or "90 minutes"."""
    for name in ("day", "hour"):
        if minutes >= UNITS[name] and minutes % UNITS[name] == 0:
            return _count(minutes // UNITS[name], name)
    return _count(minutes, "minute")


def read_span(typed: str) -> int | None:
    """Parse text like "2 days", "1 hour", "90 min" or "90", and return minutes; None for anything else."""
    found = _SPAN.fullmatch(" ".join(typed.split()))
    if found is None:
        return None
    unit = next(name for name in UNITS if name[0] == (found[2] or "m")[0].lower())
    return int(found[1]) * UNITS[unit]


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"
