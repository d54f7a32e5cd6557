"""How a day, a time of day and an instant read."""

from datetime import date, datetime, time, tzinfo

from django.utils import timezone


def clock_words(clock: time | datetime) -> str:
    """Like "9:00 am"."""
    return f"{clock.hour % 12 or 12}:{clock:%M} {'am' if clock.hour < 12 else 'pm'}"


def us_day_words(day: date) -> str:
    """Like "Dec 1, 2026"."""
    return f"{day:%b} {day.day}, {day.year}"


def year_words(day: date, *, today: date | None = None) -> str:
    """Like " 2027", with its space; empty in the current year."""
    today = today or timezone.localdate()
    return "" if day.year == today.year else f" {day.year}"


def format_instant(instant: datetime, zone: tzinfo) -> str:
    """Like "Tue 1 Dec, 9:00 am" in `zone`, with the year where it is not the current one."""
    local = instant.astimezone(zone)
    year = year_words(local.date(), today=timezone.now().astimezone(zone).date())
    return f"{local:%a} {local.day} {local:%b}{year}, {clock_words(local)}"
