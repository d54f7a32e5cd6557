"""What every room's tests may ask for."""

import pytest
from django.conf import settings as project_settings

from clinic.audit import keys
from tests.post_office import PostOffice


@pytest.fixture(autouse=True)
def passed_keys(monkeypatch):
    """Ids of the keys that this process may seal with, as after a start; empty it to see the check before a first seal."""
    passed = {next(iter(project_settings.ENCRYPTION_KEYS))}
    monkeypatch.setattr(keys, "_passed_with", passed)
    return passed


@pytest.fixture
def post_office(settings):
    """A real SMTP server that the site sends through."""
    office = PostOffice()
    office.open()
    options = {"host": "127.0.0.1", "port": office.port, "timeout": 2}
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}}
    yield office
    office.close()
