"""What a clinic offers, when it is open, and who comes when."""

from .appointment import Appointment, AppointmentEvent
from .hours import HoursOverride, OpeningHours
from .offer import Service, VisitMode

__all__ = ["Appointment", "AppointmentEvent", "HoursOverride", "OpeningHours", "Service", "VisitMode"]
