"""The booking app: services, hours, visits. Registers its parts with the other apps."""

from django.apps import AppConfig


class BookingConfig(AppConfig):
    name = "booking"
    verbose_name = "Booking"

    def ready(self) -> None:
        from booking import message_kinds
        from booking.actions.clinic_details import register_clinic_details
        from booking.actions.correct_address import send_to_new_address
        from booking.actions.text_replies import read_text_reply
        from booking.models import Service
        from booking.presenters.blocks import register_blocks
        from booking.schedule.references import visits_by_reference
        from booking.staff.after_hours import find_after_hours
        from booking.staff.holdings import register_holdings
        from booking.staff.panels import register_panels
        from booking.staff.today import register_sections
        from booking.staff.zone_change import register_schedule
        from clinic.audit.reports.sources import register_opening_hours
        from clinic.outbox.messages.kinds import register_kinds
        from clinic.outbox.messages.subjects import Subjects, register_subjects
        from clinic.practice.people.patients import on_new_address
        from clinic.responses.public_models import register_public_model

        on_new_address(send_to_new_address)
        register_kinds(message_kinds)
        register_public_model(Service)
        register_subjects(
            Subjects(
                scopes=lambda: list(Service.objects.values_list("slug", "name")),
                find=visits_by_reference,
                read_reply=read_text_reply,
            )
        )
        register_blocks()
        register_holdings()
        register_panels()
        register_schedule()
        register_sections()
        register_opening_hours(find_after_hours)
        register_clinic_details()
