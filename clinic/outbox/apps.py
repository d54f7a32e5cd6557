from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "clinic.outbox"
    label = "outbox"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Messages"

    def ready(self):
        from clinic.outbox.message_kinds.confirmation_code import register_confirmation_code
        from clinic.outbox.messages.alerts import register_alerts
        from clinic.outbox.texts.inbound import register_text_alert
        from clinic.outbox.texts.texting import plan_texts_beside_mails, settle_consents
        from clinic.practice.people.patients import after_merge, before_merge  # models must be loaded first

        register_alerts()
        register_text_alert()
        register_confirmation_code()
        before_merge(settle_consents)
        after_merge(plan_texts_beside_mails)
