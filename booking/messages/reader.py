"""The time zone of a message's reader, in which hours are quiet: an IANA name, empty for the clinic's zone."""

from booking.models import Appointment, WaitListEntry


def reader_zone_of_visit(appointment: Appointment) -> str:
    """Where the patient is at the time of the visit: at the clinic, unless it is a call.

    Taken from this visit alone: the zone on a patient's record may come from another person's booking.
    """
    return "" if appointment.visit_mode.is_by_clinics_clock else appointment.visitor_time_zone


def reader_zone_of_entry(entry: WaitListEntry, visit: Appointment | None) -> str:
    """The zone of `visit`, which an earlier time would replace; for a call without one, the zone of the wish or the patient's."""
    if visit is not None:
        return reader_zone_of_visit(visit)
    return "" if entry.offered_mode.is_by_clinics_clock else entry.time_zone or entry.patient.time_zone
