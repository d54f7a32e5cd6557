"""The project. Importing it makes Celery's app known, so that the web processes can wake the workers."""

from clinic.celery import app as celery_app

__all__ = ["celery_app"]
