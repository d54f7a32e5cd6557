"""How an instant reads."""

from datetime import datetime, tzinfo


def format_instant(instant: datetime, zone: tzinfo) -> str:
    """Like "Tue 1 Dec, 9:00 am" in `zone`."""
    local = instant.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b}, {local.hour % 12 or 12}:{local:%M} {'am' if local.hour < 12 else 'pm'}"
