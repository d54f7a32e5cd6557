"""Configure Django's own apps: the admin site is `clinic.admin`; fewer static files are collected."""

from django.contrib.admin.apps import AdminConfig
from django.contrib.staticfiles.apps import StaticFilesConfig


class ClinicAdminConfig(AdminConfig):
    default_site = "clinic.admin.ClinicAdminSite"


class ClinicStaticFilesConfig(StaticFilesConfig):
    """Collects Bootstrap's reboot only: collecting and compressing all of it took most of a deployment's time."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        *("js/bootstrap*", "css/bootstrap.*", "css/bootstrap-grid*", "css/bootstrap-utilities*", "css/*.rtl.*"),
        "css/bootstrap-reboot.css*",
    ]
