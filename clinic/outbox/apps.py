from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "clinic.outbox"
    label = "outbox"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Messages"

    def ready(self) -> None:
        from clinic.outbox import message_kinds
        from clinic.outbox.holdings import register_holdings  # models must be loaded first
        from clinic.outbox.messages.kinds import register_kinds
        from clinic.outbox.panels import register_panels
        from clinic.outbox.today import register_sections

        register_kinds(message_kinds)
        register_holdings()
        register_panels()
        register_sections()
