"""Booking in the admin: what is offered and when, time that is blocked, and the visits."""

from booking.admin.feeds import CalendarFeedAdmin
from booking.admin.hours import HoursOverrideAdmin, OpeningHoursAdmin
from booking.admin.offer import ServiceAdmin
from booking.admin.visits import AppointmentAdmin
from booking.admin.waiting import WaitListEntryAdmin

__all__ = [
    "AppointmentAdmin",
    "CalendarFeedAdmin",
    "HoursOverrideAdmin",
    "OpeningHoursAdmin",
    "ServiceAdmin",
    "WaitListEntryAdmin",
]
