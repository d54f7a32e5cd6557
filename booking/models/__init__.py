"""The models of booking: services, opening hours, visits, wait list, calendar feeds, link requests."""

from booking.models.appointment import Appointment, LateFee
from booking.models.appointment_event import AppointmentEvent
from booking.models.calendar_feed import CalendarFeed
from booking.models.opening_hours import HoursMode, HoursOverride, OpeningHours
from booking.models.return_request import ReturnRequest
from booking.models.service import Purpose, Service
from booking.models.visit_modes import MODES, VisitMode
from booking.models.wait_list import SlotOffer, WaitListEntry

__all__ = [
    "MODES",
    "Appointment",
    "AppointmentEvent",
    "CalendarFeed",
    "HoursMode",
    "HoursOverride",
    "LateFee",
    "OpeningHours",
    "Purpose",
    "ReturnRequest",
    "Service",
    "SlotOffer",
    "VisitMode",
    "WaitListEntry",
]
