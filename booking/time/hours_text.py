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
    """One line of the list: neighbouring days with the same hours."""

    days: str
    times: str


def opening_times(hours: Iterable[WeeklyHours], *, on: date) -> list[tuple[int, time, time]]:
    """(weekday, opens, closes) for the hours in force on `on`, therapists taken together; Monday is 0, times are local,
    MIDNIGHT as a closing time the end of the day."""
    stretches: dict[int, list[tuple[time, time]]] = {weekday: [] for weekday in range(7)}
    for row in hours:
        if (row.valid_from is None or row.valid_from <= on) and (row.valid_until is None or on <= row.valid_until):
            stretches[row.weekday].append((row.opens, row.closes))
    return [(weekday, *stretch) for weekday, found in stretches.items() for stretch in _join_stretches(found)]


def week_in_words(hours: Iterable[WeeklyHours], *, on: date) -> list[HoursLine]:
    """The hours in force on `on`, in the clinic's local time, therapists taken together; days without any are "closed"."""
    stretches: dict[int, list[tuple[time, time]]] = {weekday: [] for weekday in range(7)}
    for weekday, opens, closes in opening_times(hours, on=on):
        stretches[weekday].append((opens, closes))
    if not any(stretches.values()):
        return []
    times = {weekday: _times_in_words(found) for weekday, found in stretches.items()}
    return [
        HoursLine(_days_in_words([weekday for weekday, _ in group]), words)
        for words, group in ((words, list(group)) for words, group in groupby(times.items(), key=lambda item: item[1]))
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


def _times_in_words(stretches: list[tuple[time, time]]) -> str:
    if stretches == [(MIDNIGHT, MIDNIGHT)]:
        return "open all day"
    return ", ".join(format_hours(opens, closes) for opens, closes in stretches) or "closed"


def _days_in_words(weekdays: list[int]) -> str:
    first, last = DAYS[weekdays[0]], DAYS[weekdays[-1]]
    return first if len(weekdays) == 1 else f"{first}–{last}"
