from django.apps import AppConfig


class AssessmentsConfig(AppConfig):
    name = "assessments"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Questions and answers"

    def ready(self) -> None:
        from assessments import message_kinds
        from assessments.holdings import register_holdings
        from assessments.today import register_sections
        from clinic.outbox.messages.kinds import register_kinds  # models must be loaded first

        register_kinds(message_kinds)
        register_holdings()
        register_sections()
