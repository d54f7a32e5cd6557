from django.apps import AppConfig


class AssessmentsConfig(AppConfig):
    name = "assessments"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Questions and answers"

    def ready(self):
        from assessments.red_flags import alerts, left_unsure  # models must be loaded first

        alerts.register_message_kinds()
        left_unsure.register_message_kind()
