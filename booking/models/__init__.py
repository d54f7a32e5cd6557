"""What a clinic offers, when it is open, and who comes when."""

from .appointment import Appointment, AppointmentEvent
from .feed import CalendarFeed
from .hours import HoursMode, HoursOverride, OpeningHours
from .offer import Service, VisitMode
from .returning import ReturnRequest
from .waiting import SlotOffer, WaitListEntry

__all__ = [
    "Appointment",
    "AppointmentEvent",
    "CalendarFeed",
    "HoursMode",
    "HoursOverride",
    "OpeningHours",
    "ReturnRequest",
    "Service",
    "SlotOffer",
    "VisitMode",
    "WaitListEntry",
]
