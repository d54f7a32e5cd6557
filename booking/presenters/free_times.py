"""Template contexts of lists of free times: weeks of days, and the times of one day."""

from datetime import date, timedelta
from itertools import groupby

from django.http import Http404, HttpRequest

from booking.converters import DayConverter
from booking.schedule.availability import FreeSlot
from booking.schedule.clocks import Clock
from booking.time.caps import monday_of
from clinic.practice.values.dates import format_short_day

DAYS_A_PAGE = 28


def days_context(counts: dict[date, int], first_day: date, today: date, last_day: date) -> dict:
    """Return the context of a page of days: the days with free times by week, and the first and last day of the page.

    Also the first days of the previous and next pages, None if there is no such page.
    """
    after = first_day + timedelta(days=DAYS_A_PAGE)
    return {
        "weeks": _weeks(counts, today),
        "first_day": format_short_day(first_day, today=today),
        "last_day": format_short_day(after - timedelta(days=1), today=today),
        "earlier": max(first_day - timedelta(days=DAYS_A_PAGE), today) if first_day > today else None,
        "later": after if after <= last_day else None,
    }


def times_context(rows: list[dict]) -> dict:
    """Return the context of a day's times, grouped by part of the day.

    If the service prefers no gaps, and some but not all of the times are next to another visit, these times are in a
    first group of their own.
    """
    suits_us = [row for row in rows if not row["slot"].is_isolated]
    is_marked = 0 < len(suits_us) < len(rows)
    parts = [{"name": name, "rows": list(group)} for name, group in groupby(rows, key=_part_of_day)]
    if is_marked:
        rest = [row for row in rows if row["slot"].is_isolated]
        parts = [{"name": "Easiest for us", "rows": suits_us}] + [
            {"name": name, "rows": list(group)} for name, group in groupby(rest, key=_part_of_day)
        ]
    return {
        "parts": parts,
        "first": rows[0] if rows else None,
        "clocks_change": len({row["time"].local.utcoffset() for row in rows}) > 1
        or any(row["time"].is_repeated for row in rows),
        "has_beside": any(row["beside"] for row in rows),
    }


def time_row(slot: FreeSlot, clock: Clock) -> dict:
    """Return the context of a slot: its time in the page's zone and, if different, in the second zone."""
    time, beside = clock.time(slot.starts_at), clock.beside(slot.starts_at)
    beside_text = beside.clock_and_zone if beside else ""
    if beside and beside.local.date() != time.local.date():
        beside_text += f", {beside.short_day}"
    return {"slot": slot, "time": time, "beside": beside, "beside_text": beside_text, "beside_whom": clock.beside_whom}


def asked_day(request: HttpRequest) -> date | None:
    """Return the day in `?from=`, or None without one. Raises Http404 for an invalid day."""
    if text := request.GET.get("from"):
        try:
            return DayConverter().to_python(text)
        except ValueError:
            raise Http404 from None
    return None


def _weeks(counts: dict[date, int], today: date) -> list[dict]:
    this_monday = monday_of(today)
    names = {this_monday: "This week", this_monday + timedelta(days=7): "Next week"}
    return [
        {
            "name": names.get(monday) or f"Week of {format_short_day(monday, today=today)}",
            "days": [{"day": day, "label": format_short_day(day, today=today), "count": counts[day]} for day in group],
        }
        for monday, group in groupby(counts, key=monday_of)
    ]


def _part_of_day(row: dict) -> str:
    hour = row["time"].local.hour
    return "Morning" if hour < 12 else "Afternoon" if hour < 17 else "Evening"
