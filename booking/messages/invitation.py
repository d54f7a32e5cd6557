"""A visit as a calendar file (RFC 5545) and as an invitation by email (RFC 5546).

The UID of a visit never changes and its SEQUENCE increases with each change, so that calendars replace the entry. The
file contains neither the service nor a reason, because calendars are shared with families and employers.
"""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from icalendar import Calendar, Event, Timezone, TimezoneDaylight, TimezoneStandard, vCalAddress, vText

from booking.models import Appointment
from booking.schedule.local_time import format_place
from booking.time.opening_hours import change_between
from clinic.outbox.messages.mail import sender_address
from clinic.practice.models import Clinic
from clinic.practice.values.phone import format_phone

PRODUCT = "-//Runclinic//Booking//EN"


def visit_calendar(*, appointment: Appointment, clinic: Clinic, now: datetime) -> bytes:
    """Return an invitation (METHOD:REQUEST), or for a canceled visit a cancellation (METHOD:CANCEL), as UTF-8."""
    is_cancelled = appointment.status == Appointment.Status.CANCELLED
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "CANCEL" if is_cancelled else "REQUEST")
    calendar.add_component(_time_zone(clinic.zone, appointment.starts_at))
    calendar.add_component(_visit_event(appointment, clinic, now, is_cancelled))
    return calendar.to_ical()


def calendar_uid(appointment: Appointment) -> str:
    """Return the UID of the visit in the patient's calendar files. The therapist's feed uses another."""
    return f"{appointment.pk}@{urlsplit(settings.SITE_URL).hostname}"


def _visit_event(appointment: Appointment, clinic: Clinic, now: datetime, is_cancelled: bool) -> Event:
    event = Event()
    event.add("uid", calendar_uid(appointment))
    event.add("sequence", appointment.sequence)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", appointment.starts_at.astimezone(clinic.zone))
    event.add("dtend", appointment.ends_at.astimezone(clinic.zone))
    event.add("summary", f"Visit at {clinic.name}")
    event.add("location", format_place(appointment.visit_mode, clinic))
    event.add("description", _description(appointment, clinic))
    event.add("status", "CANCELLED" if is_cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if is_cancelled else "OPAQUE")
    event.add("class", "PRIVATE")
    organizer = vCalAddress(f"mailto:{sender_address()}")
    organizer.params["CN"] = vText(clinic.name)
    event.add("organizer", organizer)
    if address := appointment.booked_patient.email:
        attendee = vCalAddress(f"mailto:{address}")  # without the patient's name
        attendee.params["PARTSTAT"] = vText("ACCEPTED")  # the patient chose the time, so no reply is needed
        attendee.params["RSVP"] = vText("FALSE")
        event.add("attendee", attendee)
    return event


def _description(appointment: Appointment, clinic: Clinic) -> str:
    lines = [f"Reference {appointment.reference}"]
    if clinic.phone:
        lines.append(f"Questions or changes: {format_phone(clinic.phone, clinic.country)}")
    return "\n".join(lines)


def _time_zone(zone: ZoneInfo, instant: datetime) -> Timezone:
    """Return the VTIMEZONE of `zone` with the last UTC offset change before `instant` and the first one after it.

    The generator of icalendar is not used, because it starts daylight saving time an hour late. RFC 5545 requires each
    onset in the local time before the change.
    """
    component = Timezone()
    component.add("tzid", zone.key)
    before = _nearest_change(zone, instant, timedelta(days=-1)) or datetime(1970, 1, 2, tzinfo=UTC)
    after = _nearest_change(zone, instant, timedelta(days=1))
    for change in filter(None, (before, after)):
        component.add_component(_observance(zone, change))
    return component


def _nearest_change(zone: ZoneInfo, instant: datetime, step: timedelta) -> datetime | None:
    """Return the nearest change of the UTC offset before or after `instant`, by the sign of `step`.

    None if there is none in 400 steps.
    """
    near = instant.astimezone(UTC)
    for _ in range(400):
        far = near + step
        if near.astimezone(zone).utcoffset() != far.astimezone(zone).utcoffset():
            return change_between(min(near, far), max(near, far), zone)
        near = far
    return None


def _observance(zone: ZoneInfo, change: datetime) -> TimezoneDaylight | TimezoneStandard:
    earlier, later = (change - timedelta(seconds=1)).astimezone(zone), change.astimezone(zone)
    offset = earlier.utcoffset() or timedelta(0)
    observance = TimezoneDaylight() if later.dst() else TimezoneStandard()
    observance.add("dtstart", (change + offset).replace(tzinfo=None))
    observance.add("tzoffsetfrom", offset)
    observance.add("tzoffsetto", later.utcoffset())
    observance.add("tzname", later.tzname())
    return observance
