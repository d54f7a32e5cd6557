"""A Celery worker that also knows the letters of these tests: `celery -A tests.clinic.letter_worker worker`."""

import django

from clinic.celery import app  # noqa: F401 - celery looks for it here


def know_letters():
    from tests.clinic.letters import register_letters  # models need django.setup() first

    register_letters()


django.setup()
know_letters()
