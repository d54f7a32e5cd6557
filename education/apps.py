from django.apps import AppConfig


class EducationConfig(AppConfig):
    name = "education"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from clinic.responses.public_models import register_public_model
        from education.models import Article, Topic  # models must be loaded first
        from education.today import register_sections

        register_public_model(Article, shown_from="published_at")
        register_public_model(Topic)
        register_sections()
