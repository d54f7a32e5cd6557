"""A week of opening hours as text: "Mon–Thu", "8:00 AM – noon, 1:00 PM – 5:00 PM". Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time
from itertools import groupby

from booking.time.opening_hours import MIDNIGHT, WeeklyHours
from clinic.practice.values.dates import format_hours

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class HoursLine:
    """Consecutive days with the same hours."""

    days: str
    times: str


def opening_times(hours: Iterable[WeeklyHours], *, on: date) -> list[tuple[int, time, time]]:
    """Return (weekday, opens, closes) for the week of hours in force on the day `on`, merged across therapists.

    Monday is 0, times are local, and MIDNIGHT as a closing time is the end of the day.
    """
    stretches: dict[int, list[tuple[time, time]]] = {weekday: [] for weekday in range(7)}
    for row in hours:
        if (row.valid_from is None or row.valid_from <= on) and (row.valid_until is None or on <= row.valid_until):
            stretches[row.weekday].append((row.opens, row.closes))
    return [(weekday, *stretch) for weekday, found in stretches.items() for stretch in _join_stretches(found)]


def format_week(hours: Iterable[WeeklyHours], *, on: date) -> list[HoursLine]:
    """Return the week of hours in force on the day `on`, in local time, merged across therapists.

    Days without hours are "closed". Return an empty list if no day has hours.
    """
    stretches: dict[int, list[tuple[time, time]]] = {weekday: [] for weekday in range(7)}
    for weekday, opens, closes in opening_times(hours, on=on):
        stretches[weekday].append((opens, closes))
    if not any(stretches.values()):
        return []
    times = {weekday: _format_times(found) for weekday, found in stretches.items()}
    return [
        HoursLine(_format_days([weekday for weekday, _ in group]), text)
        for text, group in groupby(times.items(), key=lambda item: item[1])
    ]


def _join_stretches(stretches: list[tuple[time, time]]) -> list[tuple[time, time]]:
    joined: list[tuple[time, time]] = []
    for opens, closes in sorted(stretches):
        if joined and (joined[-1][1] == MIDNIGHT or opens <= joined[-1][1]):
            joined[-1] = (joined[-1][0], max(closes, joined[-1][1], key=_as_closing))
        else:
            joined.append((opens, closes))
    return joined


def _as_closing(clock: time) -> time:
    return time.max if clock == MIDNIGHT else clock


def _format_times(stretches: list[tuple[time, time]]) -> str:
    if stretches == [(MIDNIGHT, MIDNIGHT)]:
        return "open all day"
    return ", ".join(format_hours(opens, closes) for opens, closes in stretches) or "closed"


def _format_days(weekdays: list[int]) -> str:
    first, last = DAYS[weekdays[0]], DAYS[weekdays[-1]]
    return first if len(weekdays) == 1 else f"{first}–{last}"
