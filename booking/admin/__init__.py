"""Booking in the admin: what is offered and when, time that is blocked, and the visits."""

from booking.admin.affected_visits import ask_about_visits
from booking.admin.feeds import CalendarFeedAdmin
from booking.admin.hours import HoursOverrideAdmin, OpeningHoursAdmin
from booking.admin.offer import ServiceAdmin
from booking.admin.visits import AppointmentAdmin
from booking.admin.waiting import WaitListEntryAdmin
from clinic.practice.guarded_saving import register_guard

register_guard("affected visits", ask_about_visits)

__all__ = [
    "AppointmentAdmin",
    "CalendarFeedAdmin",
    "HoursOverrideAdmin",
    "OpeningHoursAdmin",
    "ServiceAdmin",
    "WaitListEntryAdmin",
]
