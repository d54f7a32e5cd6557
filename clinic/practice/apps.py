from django.apps import AppConfig


class PracticeConfig(AppConfig):
    name = "clinic.practice"
    label = "practice"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "The clinic and its people"
