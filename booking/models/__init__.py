"""What a clinic offers, when it is open, and who comes when."""

from .appointment import Appointment, AppointmentEvent
from .feed import CalendarFeed
from .hours import HoursMode, HoursOverride, OpeningHours
from .offer import Purpose, Service, VisitMode
from .returning import ReturnRequest
from .waiting import SlotOffer, WaitListEntry

__all__ = [
    "Appointment",
    "AppointmentEvent",
    "CalendarFeed",
    "HoursMode",
    "HoursOverride",
    "OpeningHours",
    "Purpose",
    "ReturnRequest",
    "Service",
    "SlotOffer",
    "VisitMode",
    "WaitListEntry",
]
