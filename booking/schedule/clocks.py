"""The time zone in which a visitor chooses a visit. The days, counts, parts of the day and times all use it.

It is determined by the mode (`VisitMode.is_by_clinics_clock`). A visit at the clinic is shown in the clinic's zone. A
visit by video or phone is shown in the patient's zone, with the clinic's time beside it if that differs. A service that
offers both is shown in the clinic's zone, with the visitor's time beside it if that differs, because the visitor
chooses the mode in the last step.
"""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from booking.models import Appointment, Service, VisitMode, WaitListEntry
from booking.schedule.local_time import LocalTime
from clinic.practice.models import Clinic
from clinic.practice.values.zones import clock_label, known_zone


@dataclass(frozen=True)
class Clock:
    """The zone in which times are shown, and a second zone whose times are shown beside them, if any."""

    zone: ZoneInfo
    beside_zone: ZoneInfo | None = None
    is_visitors: bool = False

    @property
    def label(self) -> str:
        """Text like "Eastern time (New York)"."""
        return clock_label(self.zone.key)

    @property
    def description(self) -> str:
        """Text like "your clock, Jamaica time"."""
        return f"{'your' if self.is_visitors else 'the clinic’s'} clock, {self.label}"

    @property
    def beside_label(self) -> str:
        return clock_label(self.beside_zone.key) if self.beside_zone else ""

    @property
    def beside_whom(self) -> str:
        """The place of the second zone, as in "9:00 AM EST at the clinic"."""
        return "at the clinic" if self.is_visitors else "where you are"

    @property
    def stored_zone_name(self) -> str:
        """The IANA name to store; empty for the clinic's zone, so that a later change of that zone takes effect."""
        return self.zone.key if self.is_visitors else ""

    def time(self, instant: datetime) -> LocalTime:
        return LocalTime(instant, self.zone)

    def day(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()

    def beside(self, instant: datetime) -> LocalTime | None:
        """Return the time in the second zone; None if there is no second zone or both have the same local time."""
        if self.beside_zone is None:
            return None
        there = LocalTime(instant, self.beside_zone)
        return there if there.local.utcoffset() != self.time(instant).local.utcoffset() else None

    def format_beside(self, instant: datetime) -> str:
        """Return text like "9:00 AM EST at the clinic"; empty if `beside` returns None."""
        there = self.beside(instant)
        return f"{there.beside(self.time(instant))} {self.beside_whom}" if there else ""


def clock_of_service(service: Service, *, clinic: Clinic, zone_name: str) -> Clock:
    """Return the clock for a visitor in the zone `zone_name` (IANA) who chooses a time for `service`.

    For an unknown zone, return the clinic's clock.
    """
    own = known_zone(zone_name)
    if own is None or service.is_only_by_clinics_clock:
        return Clock(clinic.zone)
    if any(mode.is_by_clinics_clock for mode in service.modes):
        return Clock(clinic.zone, beside_zone=own)
    return Clock(own, beside_zone=clinic.zone, is_visitors=True)


def clock_of_visit(appointment: Appointment, *, clinic: Clinic) -> Clock:
    """Return the clock for the patient of a booked visit."""
    return clock_of_mode(appointment.visit_mode, zone_name=appointment.visitor_time_zone, clinic=clinic)


def visit_time(appointment: Appointment, clinic: Clinic) -> LocalTime:
    """Return the start of a visit in the zone shown to its patient."""
    return clock_of_visit(appointment, clinic=clinic).time(appointment.starts_at)


def clock_of_entry(entry: WaitListEntry, *, clinic: Clinic) -> Clock:
    """Return the clock for the days and the part of the day of a wait list entry."""
    return clock_of_mode(entry.offered_mode, zone_name=entry.time_zone, clinic=clinic)


def clock_of_mode(mode: VisitMode, *, zone_name: str, clinic: Clinic) -> Clock:
    """Return the clock of a visit in `mode` for a patient in the zone `zone_name` (IANA).

    For an unknown zone, return the clinic's clock.
    """
    own = known_zone(zone_name)
    if own is None or mode.is_by_clinics_clock:
        return Clock(clinic.zone)
    return Clock(own, beside_zone=clinic.zone, is_visitors=True)
