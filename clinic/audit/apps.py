from django.apps import AppConfig
from django.core.checks import Tags, register


class AuditConfig(AppConfig):
    name = "clinic.audit"
    label = "audit"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Access to patients' records"

    def ready(self) -> None:
        from clinic.audit.database.faults import check_record  # needs the models, which are loaded by now

        register(check_record, Tags.security, deploy=True)
