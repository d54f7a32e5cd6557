"""Quiet hours: when patients should not be contacted.

Quiet hours are clock times in the reader's zone, [quiet_from, quiet_until), over midnight or not; the same time twice
means there are none. An instant is quiet by what the reader's clock shows then, on the days the clocks change too.
Instants are aware datetimes. Pure.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class QuietHours:
    """Start and end (clock times) and the zone they are in."""

    quiet_from: time
    quiet_until: time
    zone: ZoneInfo


def is_quiet(instant: datetime, hours: QuietHours) -> bool:
    """Whether the reader's clock shows a quiet hour at `instant`."""
    return _is_quiet_clock(instant.astimezone(hours.zone).time(), hours)


def end_of_quiet_hours(instant: datetime, hours: QuietHours) -> datetime:
    """Return `instant` if it is not quiet, else (in UTC) when the quiet hours around it end.

    Where the clocks go back over that end, its second occurrence; where they skip it, an hour later by the clock.
    """
    local = instant.astimezone(hours.zone)
    if not _is_quiet_clock(local.time(), hours):
        return instant
    day = local.date() if local.time() < hours.quiet_until else local.date() + timedelta(days=1)
    end = datetime.combine(day, hours.quiet_until, hours.zone)
    second = end.replace(fold=1).astimezone(UTC)
    return second if second > instant and not is_quiet(second, hours) else end.astimezone(UTC)


def planned_around_quiet_hours(due_at: datetime, hours: QuietHours, *, by: datetime) -> datetime:
    """Return `due_at`, or an instant before the quiet hours around it if these last beyond `by`."""
    return due_at if end_of_quiet_hours(due_at, hours) <= by else moved_before_quiet_hours(due_at, hours)


def moved_before_quiet_hours(due_at: datetime, hours: QuietHours, ahead: timedelta = timedelta(minutes=30)) -> datetime:
    """Return `due_at` if it is not quiet, else (in UTC) `ahead` of the beginning of the quiet hours around it.

    For what must not wait until they are over: a reminder of an early visit, due at 06:00, leaves the evening before.
    """
    local = due_at.astimezone(hours.zone)
    if not _is_quiet_clock(local.time(), hours):
        return due_at
    day = local.date() if local.time() >= hours.quiet_from else local.date() - timedelta(days=1)
    return datetime.combine(day, hours.quiet_from, hours.zone).astimezone(UTC) - ahead


def _is_quiet_clock(clock: time, hours: QuietHours) -> bool:
    if hours.quiet_from <= hours.quiet_until:
        return hours.quiet_from <= clock < hours.quiet_until
    return clock >= hours.quiet_from or clock < hours.quiet_until
