"""Configuration of Django's own apps: `clinic.admin` as the admin site, and fewer static files."""

from django.contrib.admin.apps import AdminConfig
from django.contrib.staticfiles.apps import StaticFilesConfig


class ClinicAdminConfig(AdminConfig):
    default_site = "clinic.admin.ClinicAdminSite"


class ClinicStaticFilesConfig(StaticFilesConfig):
    """Of Bootstrap, collects only the minified reboot sheet. All of it would take most of a deployment's time."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        *("js/bootstrap*", "css/bootstrap.*", "css/bootstrap-grid*", "css/bootstrap-utilities*", "css/*.rtl.*"),
        "css/bootstrap-reboot.css*",
    ]
