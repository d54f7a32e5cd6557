from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "clinic.outbox"
    label = "outbox"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Messages"

    def ready(self):
        from .alerts import register_alerts  # models must be loaded first

        register_alerts()
