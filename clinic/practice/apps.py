from django.apps import AppConfig, apps


class PracticeConfig(AppConfig):
    name = "clinic.practice"
    label = "practice"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "The clinic and its people"

    def ready(self) -> None:
        from clinic.audit.reports.sources import register_merged, register_own_records
        from clinic.practice.models import Clinic, Therapist  # models must be loaded first
        from clinic.practice.panels import register_panels
        from clinic.practice.people.holdings import register_holdings
        from clinic.practice.people.own_records import find_merged, find_own_records
        from clinic.practice.today import register_sections
        from clinic.responses.public_models import register_public_model

        register_public_model(Clinic)
        register_public_model(Therapist)
        register_merged(find_merged)
        register_own_records(find_own_records)
        register_holdings()
        register_panels()
        register_sections()
        apps.get_app_config("auth").verbose_name = "Permissions"  # in the admin; Django's name includes authentication
