"""Format dates and times in US style, for pages, messages and calendar files. Pure: zone and current day are arguments.

`today` is the reader's current day. A day of the same year is formatted without the year. Without `today`, every day
has its year.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

MIDNIGHT, NOON = time(0), time(12)


def format_day(day: date, *, today: date | None = None) -> str:
    """Return text like "Tuesday, December 1"; in another year "Friday, January 1, 2027"."""
    return f"{day:%A, %B} {day.day}{_format_year(day, today)}"


def format_short_day(day: date, *, today: date | None = None) -> str:
    """Return text like "Tue, Dec 1"; in another year "Fri, Jan 1, 2027"."""
    return f"{day:%a, %b} {day.day}{_format_year(day, today)}"


def format_days(first: date, last: date, *, today: date | None = None) -> str:
    """Return text like "Tue, Dec 1 – Thu, Dec 31"."""
    return f"{format_short_day(first, today=today)} – {format_short_day(last, today=today)}"


def format_near_day(instant: datetime, *, now: datetime, zone: tzinfo) -> str:
    """Return text like "today", "tomorrow" or "on Tuesday, December 1", as read in `zone` at `now`."""
    day, today = instant.astimezone(zone).date(), now.astimezone(zone).date()
    if day == today:
        return "today"
    return "tomorrow" if day == today + timedelta(days=1) else f"on {format_day(day, today=today)}"


def format_date(day: date) -> str:
    """Return text like "Dec 1, 2026"."""
    return f"{day:%b} {day.day}, {day.year}"


def format_time(local: time | datetime) -> str:
    """Return text like "9:00 AM"."""
    return f"{local.hour % 12 or 12}:{local.minute:02} {'AM' if local.hour < 12 else 'PM'}"


def format_named_time(local: time) -> str:
    """Return text like "9:00 AM", "noon" or "midnight"."""
    return {NOON: "noon", MIDNIGHT: "midnight"}.get(local) or format_time(local)


def format_hour(hour: int) -> str:
    """Return text like "9 AM" for an hour of the day from 0 to 23."""
    return f"{hour % 12 or 12} {'AM' if hour < 12 else 'PM'}"


def format_month(day: date) -> str:
    """Return text like "December 2026"."""
    return f"{day:%B} {day.year}"


def format_hours(opens: time, closes: time) -> str:
    """Return text like "8:00 AM – noon"."""
    return f"{format_named_time(opens)} – {format_named_time(closes)}"


def format_zone(local: datetime) -> str:
    """Return text like "EST", or "UTC+05:45" for a zone without an abbreviation. `local` must have a zone."""
    name = local.tzname() or ""
    return name if name[:1].isalpha() else f"UTC{local:%:z}"


def format_day_and_time(local: datetime, *, today: date | None = None) -> str:
    """Return text like "Tue, Dec 1, 9:00 AM"; in another year "Fri, Jan 1, 2027, 9:00 AM"."""
    return f"{format_short_day(local, today=today)}, {format_time(local)}"


def format_instant(instant: datetime, zone: tzinfo, *, now: datetime) -> str:
    """Return text like "Tue, Dec 1, 9:00 AM" in `zone`, with the year if it is not that of `now` in `zone`."""
    return format_day_and_time(instant.astimezone(zone), today=now.astimezone(zone).date())


def format_date_range(first: date, last: date) -> str:
    """Return text like "Wed, Nov 11, 2026", "Nov 26 – 27, 2026" or "Dec 31, 2026 – Jan 1, 2027"."""
    if first == last:
        return format_short_day(first)
    if first.year != last.year:
        return f"{format_date(first)} – {format_date(last)}"
    last_day = f"{last.day}" if first.month == last.month else f"{last:%b} {last.day}"
    return f"{first:%b} {first.day} – {last_day}, {last.year}"


def format_interval(starts: datetime, ends: datetime) -> str:
    """Return text like "Wed, Nov 11, 2026, 8:00 AM – noon", or whole days as in `format_date_range`.

    `starts` and `ends` are in the same zone.
    """
    if starts.time() == ends.time() == MIDNIGHT and starts.date() < ends.date():
        return format_date_range(starts.date(), ends.date() - timedelta(days=1))
    is_one_day = starts.date() == ends.date() or (
        ends.time() == MIDNIGHT and ends.date() - starts.date() == timedelta(1)
    )
    if is_one_day:
        return f"{format_short_day(starts)}, {format_hours(starts.time(), ends.time())}"
    return f"{format_day_and_time(starts)} – {format_day_and_time(ends)}"


def format_utc(instant: datetime) -> str:
    """Return text like "Dec 1, 2026, 2:00 PM UTC", for records that are not read in a particular zone."""
    utc = instant.astimezone(UTC)
    return f"{format_date(utc)}, {format_time(utc)} UTC"


def _format_year(day: date, today: date | None) -> str:
    return "" if today and day.year == today.year else f", {day.year}"
