"""Booking in the admin: services, hours, blocked time, visits, the wait list and calendar feeds."""

from booking.admin.affected_visits import ask_about_visits
from booking.admin.appointments import AppointmentAdmin
from booking.admin.calendar_feeds import CalendarFeedAdmin
from booking.admin.hours import HoursOverrideAdmin, OpeningHoursAdmin
from booking.admin.services import ServiceAdmin
from booking.admin.wait_list import WaitListEntryAdmin
from clinic.practice.saving.guarded_saving import register_guard

register_guard("affected visits", ask_about_visits)

__all__ = [
    "AppointmentAdmin",
    "CalendarFeedAdmin",
    "HoursOverrideAdmin",
    "OpeningHoursAdmin",
    "ServiceAdmin",
    "WaitListEntryAdmin",
]
