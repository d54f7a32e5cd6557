"""The booking app: services, hours, visits."""

from django.apps import AppConfig


class BookingConfig(AppConfig):
    name = "booking"
    verbose_name = "Booking"

    def ready(self):
        from booking.reminders import register_message_kinds  # models must be loaded first
        from booking.returning import register_return_link

        register_message_kinds()
        register_return_link()
