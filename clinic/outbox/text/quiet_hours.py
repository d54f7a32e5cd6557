"""Quiet hours: the times of day when patients should not be contacted. Pure.

Quiet hours are [quiet_from, quiet_until) in the local time of the reader's zone, and may span midnight. If both times
are equal, there are none. Only the local time decides whether an instant is quiet, even on days when the clocks change.
Instants are aware datetimes.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class QuietHours:
    """Start and end as local times, and their zone."""

    quiet_from: time
    quiet_until: time
    zone: ZoneInfo


def is_quiet(instant: datetime, hours: QuietHours) -> bool:
    """Whether `instant` is within the quiet hours."""
    return _is_quiet_clock(instant.astimezone(hours.zone).time(), hours)


def end_of_quiet_hours(instant: datetime, hours: QuietHours) -> datetime:
    """Return `instant` if it is not quiet, else (in UTC) the end of the quiet hours around it.

    If the clocks go back over that end, return its second occurrence. If they skip it, return one hour later in local
    time.
    """
    local = instant.astimezone(hours.zone)
    if not _is_quiet_clock(local.time(), hours):
        return instant
    day = local.date() if local.time() < hours.quiet_until else local.date() + timedelta(days=1)
    end = datetime.combine(day, hours.quiet_until, hours.zone)
    second = end.replace(fold=1).astimezone(UTC)
    return second if second > instant and not is_quiet(second, hours) else end.astimezone(UTC)


def planned_around_quiet_hours(due_at: datetime, hours: QuietHours, *, by: datetime) -> datetime:
    """Return `due_at`, or an instant before the quiet hours around it if they end after `by`."""
    return due_at if end_of_quiet_hours(due_at, hours) <= by else moved_before_quiet_hours(due_at, hours)


def moved_before_quiet_hours(due_at: datetime, hours: QuietHours, ahead: timedelta = timedelta(minutes=30)) -> datetime:
    """Return `due_at` if it is not quiet, else (in UTC) the start of the quiet hours around it minus `ahead`.

    For messages that cannot wait until quiet hours end: a reminder that is due at 06:00, because the visit is early,
    is sent the evening before.
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
