"""The booking app: services, hours, visits."""

from django.apps import AppConfig


class BookingConfig(AppConfig):
    name = "booking"
    verbose_name = "Booking"

    def ready(self):
        from booking.actions.clinic_details import register_clinic_details
        from booking.actions.confirm_address import register_confirmation
        from booking.actions.correct_address import send_to_new_address, settle_before_merge
        from booking.actions.report_absence import register_not_coming
        from booking.actions.return_links import register_return_link
        from booking.actions.text_replies import read_text_reply
        from booking.calendar_feed.alerts import register_feed_alert  # models must be loaded first
        from booking.message_kinds.on_wait_list import register_joined_message
        from booking.message_kinds.slot_offer import register_offer_message
        from booking.messages.planning import register_message_kinds
        from booking.schedule.references import visits_called
        from booking.staff.zone_change import register_schedule
        from booking.wait_list.stuck_entries import register_stuck_message
        from clinic.outbox.messages.kinds import register_reply_reader, register_subjects
        from clinic.practice.people.patients import before_merge, on_new_address

        before_merge(settle_before_merge)
        on_new_address(send_to_new_address)
        register_not_coming()
        register_message_kinds()
        register_reply_reader(read_text_reply)
        register_subjects(visits_called)
        register_offer_message()
        register_joined_message()
        register_stuck_message()
        register_return_link()
        register_confirmation()
        register_feed_alert()
        register_schedule()
        register_clinic_details()
