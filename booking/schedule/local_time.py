"""Format the time and place of a visit for pages, messages and calendars."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils import timezone

from booking.models import Appointment, VisitMode
from clinic.practice.models import Clinic
from clinic.practice.values.dates import format_day, format_day_and_time, format_short_day, format_time, format_zone

TYPED_FORMAT = "%Y-%m-%dT%H:%M"  # of datetime-local inputs


def format_minor_note(modes: Sequence[VisitMode]) -> str:
    """Return a note for the booking form: what a patient under 18 needs for a visit in one of `modes`."""
    tasks = {mode.guardian_task for mode in modes}
    task = tasks.pop() if len(tasks) == 1 else "be there"
    return f"Is the patient under 18? A parent or guardian must book the visit and {task}."


def format_guardian_note(appointment: Appointment) -> str:
    """Return a sentence for the guardian who booked the visit; empty without a guardian."""
    if not appointment.guardian_name:
        return ""
    task = appointment.visit_mode.guardian_task
    return f"You booked as the parent or guardian of someone under 18: please {task}."


def format_minutes_left(until: datetime, *, now: datetime) -> str:
    """Return text like "about 9 minutes". Minutes are rounded down, so that the reader has at least that long."""
    minutes = max(0, int((until - now).total_seconds() // 60))
    if minutes == 0:
        return "less than a minute"
    return "about a minute" if minutes == 1 else f"about {minutes} minutes"


@dataclass(frozen=True)
class LocalTime:
    """An instant in one time zone."""

    instant: datetime
    zone: ZoneInfo

    @property
    def local(self) -> datetime:
        return self.instant.astimezone(self.zone)

    @property
    def _today(self) -> date:
        return timezone.now().astimezone(self.zone).date()

    @property
    def day(self) -> str:
        return format_day(self.local, today=self._today)

    @property
    def short_day(self) -> str:
        return format_short_day(self.local, today=self._today)

    @property
    def clock(self) -> str:
        return format_time(self.local)

    @property
    def typed(self) -> str:
        """The value of a datetime-local input, like "2026-12-01T09:00"."""
        return self.local.strftime(TYPED_FORMAT)

    @property
    def is_repeated(self) -> bool:
        """Whether this local time occurs twice that day, because the clock is set back."""
        return self.local.replace(fold=0).utcoffset() != self.local.replace(fold=1).utcoffset()

    @property
    def zone_name(self) -> str:
        return format_zone(self.local)

    @property
    def clock_and_zone(self) -> str:
        return f"{self.clock} {self.zone_name}"

    @property
    def short(self) -> str:
        return self.short_and_zone if self.is_repeated else format_day_and_time(self.local, today=self._today)

    @property
    def short_and_zone(self) -> str:
        return f"{format_day_and_time(self.local, today=self._today)} {self.zone_name}"

    def beside(self, other: "LocalTime") -> str:
        """Return the text to show beside `other`, the same instant in another zone.

        It includes the day only if the day differs.
        """
        return self.clock_and_zone if self.local.date() == other.local.date() else str(self)

    def __str__(self) -> str:
        return f"{self.day}, {self.clock_and_zone}"


def clinic_time(instant: datetime, clinic: Clinic) -> LocalTime:
    """Return an instant in the clinic's time zone."""
    return LocalTime(instant, clinic.zone)


def format_place(mode: VisitMode, clinic: Clinic, *, number: str = "") -> str:
    """Return the place of a visit in `mode`: the clinic's name and address, or how the clinic reaches the patient.

    `number` is the patient's phone number, formatted for reading.
    """
    town = " ".join(part for part in (clinic.region, clinic.postal_code) if part)
    parts = (" ".join(part.split()) for part in (clinic.name, clinic.street, clinic.city, town))
    return mode.place.format(clinic=", ".join(part for part in parts if part), number=number or "you")
