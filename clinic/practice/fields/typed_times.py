"""Form fields for days and times that staff type. Days must be in a plausible range, and the local time must exist.

The fields use the current time zone, which is the clinic's in the admin.
"""

import re
from datetime import UTC, date, datetime, time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from clinic.practice.values.dates import format_date, format_time

YEARS_BACK, YEARS_AHEAD = 2, 5
LONG_IN_FORCE = 30  # years back, for long-lasting rows such as opening hours
OLDEST = 120  # age of a patient, in years

NAMED_TIMES = {"noon": time(12)} | dict.fromkeys(("midnight", "24:00", "24:00:00"), time(0))
TIME_OF_DAY = re.compile(r"(\d{1,2})(?::?([0-5]\d))?(?::([0-5]\d))? ?(?:([ap])\.?m?\.?)?")
INVALID_DAY = "Enter a date like 12/24/2026."
INVALID_MOMENT = "Enter a date and a time like 12/24/2026 2:30 PM."
INVALID_TIME = "Enter a time like 9 AM, 5:30 PM, noon or midnight."


def check_day(day: date, *, today: date, years_back: int = YEARS_BACK, years_ahead: int = YEARS_AHEAD) -> None:
    """Raise ValidationError for a day more than `years_back` before or `years_ahead` after `today`: likely a typo."""
    first, last = _years_from(today, -years_back), _years_from(today, years_ahead)
    if not first <= day <= last:
        raise ValidationError(
            f"Enter a day between {format_date(first)} and {format_date(last)}. Please check the year.",
            code="far_away",
        )


def _years_from(today: date, years: int) -> date:
    is_leap_day = (today.month, today.day) == (2, 29)
    return today.replace(year=today.year + years, day=28 if is_leap_day else today.day)


def read_time_of_day(typed: str) -> time | None:
    """Return the time in text like "9 am", "5:30 PM", "17:30", "0930", "noon" or "24:00"; None for anything else."""
    text = " ".join(typed.lower().split())
    if text in NAMED_TIMES:
        return NAMED_TIMES[text]
    found = TIME_OF_DAY.fullmatch(text)
    if found is None:
        return None
    hour, minute, second, half = int(found[1]), int(found[2] or 0), int(found[3] or 0), found[4]
    if half:
        return time(hour % 12 + (12 if half == "p" else 0), minute, second) if 1 <= hour <= 12 else None
    is_clear = found[2] is not None  # "9" alone may be AM or PM
    return time(hour, minute, second) if is_clear and hour < 24 else None


class StaffDayField(forms.DateField):
    """A day that staff type, at most `years_back` years before and `years_ahead` years after the current day."""

    default_error_messages = {"invalid": INVALID_DAY}
    years_back, years_ahead = YEARS_BACK, YEARS_AHEAD

    def to_python(self, value: Any) -> date | None:
        day = super().to_python(value)
        if day is not None:
            check_day(day, today=timezone.localdate(), years_back=self.years_back, years_ahead=self.years_ahead)
        return day


class InForceDayField(StaffDayField):
    """The first or last day of something that may have been in force for years."""

    years_back = LONG_IN_FORCE


class BirthDayField(StaffDayField):
    """A date of birth."""

    years_back, years_ahead = OLDEST, 0


class StaffMomentField(forms.DateTimeField):
    """A day and a time in the current time zone, within the range of `check_day`.

    Rejects a local time that a clock change skips. A local time that occurs twice means the first, as in opening hours.
    """

    default_error_messages = {"invalid": INVALID_MOMENT}

    def to_python(self, value: Any) -> datetime | None:
        try:
            moment = super().to_python(value)
        except ValidationError as error:
            if getattr(error, "code", "") != "ambiguous_timezone":
                raise
            moment = (error.params or {})["datetime"]
        if moment is None:
            return None
        check_day(moment.date(), today=timezone.localdate())
        return _first_instant(moment) if timezone.is_naive(moment) else moment


class StaffSplitMomentField(forms.SplitDateTimeField):
    """A day (InForceDayField) and a time (TimeOfDayField) in two inputs, as in the admin.

    Treats clock changes like StaffMomentField.
    """

    def __init__(self, **kwargs: Any) -> None:
        fields = (InForceDayField(), TimeOfDayField())
        super(forms.SplitDateTimeField, self).__init__(fields, **kwargs)

    def compress(self, data_list: Any) -> datetime | None:
        if not data_list or any(value in self.empty_values for value in data_list):
            return super().compress(data_list)
        return _first_instant(datetime.combine(*data_list))


def _first_instant(wall_clock: datetime) -> datetime:
    zone = timezone.get_current_timezone()
    moment = wall_clock.replace(tzinfo=zone, fold=0)
    back = moment.astimezone(UTC).astimezone(zone)
    if back.replace(tzinfo=None, fold=0) != wall_clock:
        words = f"On {format_date(wall_clock.date())} the clocks go forward and skip {format_time(wall_clock)}. "
        raise ValidationError(f"{words}Choose {format_time(back)} or another time.", code="skipped")
    return moment


class TimeOfDayField(forms.TimeField):
    """A time of day in any common spelling, shown like "8:00 AM"."""

    widget = forms.TextInput
    default_error_messages = {"invalid": INVALID_TIME}

    def to_python(self, value: Any) -> time | None:
        if value in self.empty_values:
            return None
        if isinstance(value, time):
            return value
        found = read_time_of_day(str(value))
        if found is None:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return found

    def prepare_value(self, value: object) -> object:
        return format_time(value) if isinstance(value, time) else value
