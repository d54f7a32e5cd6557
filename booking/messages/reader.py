"""The time zone of a message's reader, for quiet hours and offers: an IANA name, or empty for the clinic's zone."""

from booking.models import Appointment, WaitListEntry


def reader_zone_of_visit(appointment: Appointment) -> str:
    """Return the zone for a visit: the clinic's if the mode uses the clinic's zone, else the one given at booking.

    The zone of the patient's record is not used, because it may come from another person's booking.
    """
    return "" if appointment.visit_mode.is_by_clinics_clock else appointment.visitor_time_zone


def reader_zone_of_entry(entry: WaitListEntry, visit: Appointment | None) -> str:
    """Return the zone for an offer: that of the later `visit` if there is one.

    Otherwise the clinic's if the offered mode uses the clinic's zone, else that of the entry or its patient.
    """
    if visit is not None:
        return reader_zone_of_visit(visit)
    return "" if entry.offered_mode.is_by_clinics_clock else entry.time_zone or entry.patient.time_zone
