"""By which clock a visit is chosen: one clock for the list of days, the counts, the parts of the day and the times.

A visit in person goes by the clinic's clock. A call goes by the caller's own: its times are the large ones, with the
clinic's beside them where they differ at that instant. A service that offers both goes by the clinic's clock, with the
visitor's beside it, because the visitor says only in the last step how to meet.
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
    """The zone of the large times, and the zone whose times are shown beside them, if any."""

    zone: ZoneInfo
    beside_zone: ZoneInfo | None = None
    is_visitors: bool = False

    @property
    def label(self) -> str:
        """Like "Eastern time (New York)"."""
        return clock_label(self.zone.key)

    @property
    def words(self) -> str:
        """Like "your clock, Jamaica time"."""
        return f"{'your' if self.is_visitors else 'the clinic’s'} clock, {self.label}"

    @property
    def beside_label(self) -> str:
        return clock_label(self.beside_zone.key) if self.beside_zone else ""

    @property
    def beside_whom(self) -> str:
        """Whose time is shown beside the large one."""
        return "at the clinic" if self.is_visitors else "where you are"

    @property
    def stored_zone_name(self) -> str:
        """What a row keeps: an IANA name; empty for the clinic's clock, whichever that will be."""
        return self.zone.key if self.is_visitors else ""

    def time(self, instant: datetime) -> LocalTime:
        return LocalTime(instant, self.zone)

    def day(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()

    def beside(self, instant: datetime) -> LocalTime | None:
        """The time on the other clock; None if it shows the same."""
        if self.beside_zone is None:
            return None
        there = LocalTime(instant, self.beside_zone)
        return there if there.local.utcoffset() != self.time(instant).local.utcoffset() else None

    def beside_words(self, instant: datetime) -> str:
        """Like "9:00 am EST at the clinic"; empty if both clocks show the same."""
        there = self.beside(instant)
        return f"{there.beside(self.time(instant))} {self.beside_whom}" if there else ""


def clock_of_service(service: Service, *, clinic: Clinic, zone_name: str) -> Clock:
    """The clock by which a visitor from the zone called `zone_name` chooses a time; an unknown zone: the clinic's."""
    own = known_zone(zone_name)
    if own is None or service.is_only_by_clinics_clock:
        return Clock(clinic.zone)
    if any(mode.is_by_clinics_clock for mode in service.modes):
        return Clock(clinic.zone, beside_zone=own)
    return Clock(own, beside_zone=clinic.zone, is_visitors=True)


def clock_of_visit(appointment: Appointment, *, clinic: Clinic) -> Clock:
    """The clock by which the patient of a booked visit reads its time and chooses another."""
    return clock_of_mode(appointment.visit_mode, zone_name=appointment.visitor_time_zone, clinic=clinic)


def visit_time(appointment: Appointment, clinic: Clinic) -> LocalTime:
    """When a visit starts, by its patient's clock."""
    return clock_of_visit(appointment, clinic=clinic).time(appointment.starts_at)


def clock_of_entry(entry: WaitListEntry, *, clinic: Clinic) -> Clock:
    """The clock by which a wait list entry's days and part of the day are meant."""
    return clock_of_mode(entry.offered_mode, zone_name=entry.time_zone, clinic=clinic)


def clock_of_mode(mode: VisitMode, *, zone_name: str, clinic: Clinic) -> Clock:
    """The clock of a visit in this mode, for a visitor from the zone called `zone_name`; an unknown zone: the clinic's."""
    own = known_zone(zone_name)
    if own is None or mode.is_by_clinics_clock:
        return Clock(clinic.zone)
    return Clock(own, beside_zone=clinic.zone, is_visitors=True)
