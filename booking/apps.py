"""The booking app: services, hours, visits."""

from django.apps import AppConfig


class BookingConfig(AppConfig):
    name = "booking"
    verbose_name = "Booking"

    def ready(self):
        from booking.addresses import send_to_new_address, settle_before_merge
        from booking.clinic_details import register_clinic_details
        from booking.dated import register_schedule
        from booking.feed_alerts import register_feed_alert  # models must be loaded first
        from booking.not_coming import register_not_coming
        from booking.offer_message import register_offer_message
        from booking.own_address import register_confirmation
        from booking.references import visits_called
        from booking.reminders import register_message_kinds
        from booking.returning import register_return_link
        from booking.stuck_waits import register_stuck_message
        from booking.waiting_message import register_joined_message
        from clinic.outbox.kinds import register_subjects
        from clinic.practice.patients import before_merge, on_new_address

        before_merge(settle_before_merge)
        on_new_address(send_to_new_address)
        register_not_coming()
        register_message_kinds()
        register_subjects(visits_called)
        register_offer_message()
        register_joined_message()
        register_stuck_message()
        register_return_link()
        register_confirmation()
        register_feed_alert()
        register_schedule()
        register_clinic_details()
