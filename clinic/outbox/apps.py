from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "clinic.outbox"
    label = "outbox"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Messages"

    def ready(self):
        from clinic.practice.patients import after_merge, before_merge  # models must be loaded first

        from .alerts import register_alerts
        from .confirmation_code import register_confirmation_code
        from .inbound import register_text_alert
        from .texts import plan_texts_beside_mails, settle_consents

        register_alerts()
        register_text_alert()
        register_confirmation_code()
        before_merge(settle_consents)
        after_merge(plan_texts_beside_mails)
