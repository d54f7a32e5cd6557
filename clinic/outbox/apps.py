from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "clinic.outbox"
    label = "outbox"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Messages"

    def ready(self) -> None:
        from clinic.outbox import message_kinds
        from clinic.outbox.messages.kinds import register_kinds
        from clinic.outbox.texts.texting import plan_texts_beside_mails, settle_consents
        from clinic.practice.people.patients import after_merge, before_merge  # models must be loaded first

        register_kinds(message_kinds)
        before_merge(settle_consents)
        after_merge(plan_texts_beside_mails)
