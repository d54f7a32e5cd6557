"""The WSGI entry point: `gunicorn clinic.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

from clinic.web.body_limits import SizedBodies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
application = SizedBodies(get_wsgi_application())

from clinic.start import begin_serving  # noqa: E402 - after the apps are loaded

begin_serving()
