"""The query string of the calendar: view, day, therapist. Unknown values fall back; nothing in it is about a patient."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.http import QueryDict
from django.urls import reverse
from django.utils.http import urlencode

from clinic.practice.models import Clinic, Therapist
from clinic.practice.values.dates import format_date_range, format_day, format_month

MOST_YEARS = 20  # from the current day, either way
DAYS_OF_WEEK = 7


class View(StrEnum):
    """How much the calendar shows. A week begins on Monday, as for the weekly caps."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class Asked:
    """What a page of the calendar shows. `therapist` None: all of them, side by side."""

    view: View
    day: date
    therapist: Therapist | None
    today: date

    @property
    def first_day(self) -> date:
        """The first day shown; of a month, its first."""
        if self.view == View.MONTH:
            return self.day.replace(day=1)
        return self.day - timedelta(days=self.day.weekday()) if self.view == View.WEEK else self.day

    @property
    def days(self) -> int:
        """The number of days shown."""
        if self.view == View.MONTH:
            return (self._next_month - self.first_day).days
        return DAYS_OF_WEEK if self.view == View.WEEK else 1

    @property
    def last_day(self) -> date:
        """The last day shown."""
        return self.first_day + timedelta(days=self.days - 1)

    @property
    def _next_month(self) -> date:
        return (self.first_day + timedelta(days=31)).replace(day=1)

    @property
    def is_of_today(self) -> bool:
        """Whether today is shown."""
        return self.first_day <= self.today <= self.last_day

    @property
    def title(self) -> str:
        """Text like "Tuesday, December 1", "Nov 30 – Dec 6, 2026" or "December 2026"."""
        if self.view == View.MONTH:
            return format_month(self.day)
        if self.view == View.WEEK:
            return format_date_range(self.first_day, self.last_day)
        return format_day(self.day, today=self.today)

    @property
    def earlier(self) -> str:
        """The address of the page before."""
        return self.address(day=self.first_day - timedelta(days=1))

    @property
    def later(self) -> str:
        """The address of the page after."""
        return self.address(day=self.last_day + timedelta(days=1))

    @property
    def at_today(self) -> str:
        """The address of the page with today."""
        return self.address(day=self.today)

    @property
    def own(self) -> str:
        """The address of this page."""
        return self.address()

    def address(self, **changes: object) -> str:
        """Return the address of this page with `changes`."""
        other = replace(self, **changes)  # type: ignore[arg-type]  # names of fields
        query = {"view": other.view.value, "day": other.day.isoformat()}
        if other.therapist is not None:
            query["therapist"] = other.therapist.slug
        return f"{reverse('admin:booking_appointment_calendar')}?{urlencode(query)}"


def read_asked(query: QueryDict, *, therapists: Sequence[Therapist], clinic: Clinic, now: datetime) -> Asked:
    """Read the query string. By default, or for an unknown value: the week, today, all therapists."""
    today = now.astimezone(clinic.zone).date()
    view = next((one for one in View if one == query.get("view")), View.WEEK)
    therapist = next((one for one in therapists if one.slug == query.get("therapist")), None)
    return Asked(view, _read_day(query.get("day", ""), today), therapist, today)


def _read_day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return today
    return day if abs(day.year - today.year) <= MOST_YEARS else today
