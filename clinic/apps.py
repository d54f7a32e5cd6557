"""Django's own apps where ours differ: the admin site is `clinic.admin`, whose front page is Today; and which static files go."""

from django.contrib.admin.apps import AdminConfig
from django.contrib.staticfiles.apps import StaticFilesConfig


class ClinicAdminConfig(AdminConfig):
    default_site = "clinic.admin.ClinicAdminSite"


class ClinicStaticFilesConfig(StaticFilesConfig):
    """Of Bootstrap only the reboot is used: collecting and compressing the rest took most of a deployment's time."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        *("js/bootstrap*", "css/bootstrap.*", "css/bootstrap-grid*", "css/bootstrap-utilities*", "css/*.rtl.*"),
        "css/bootstrap-reboot.css*",
    ]
