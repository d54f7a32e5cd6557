"""The project. Importing this package loads the Celery app, which web processes need to send tasks."""

from clinic.celery import app as celery_app

__all__ = ["celery_app"]
