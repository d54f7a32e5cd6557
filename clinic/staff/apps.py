from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "clinic.staff"
    label = "staff"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Staff accounts"

    def ready(self) -> None:
        from clinic.outbox.messages.kinds import register_kinds
        from clinic.staff import message_kinds
        from clinic.staff.sign_in.receivers import connect_receivers  # models must be loaded first

        register_kinds(message_kinds)
        connect_receivers()
