from django.apps import AppConfig


class AssessmentsConfig(AppConfig):
    name = "assessments"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Questions and answers"

    def ready(self):
        from .alerts import register_message_kinds  # models must be loaded first

        register_message_kinds()
