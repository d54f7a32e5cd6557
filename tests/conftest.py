"""What every room's tests may ask for."""

import pytest

from tests.post_office import PostOffice


@pytest.fixture
def post_office(settings):
    """A real SMTP server that the site sends through."""
    office = PostOffice()
    office.open()
    options = {"host": "127.0.0.1", "port": office.port, "timeout": 2}
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}}
    yield office
    office.close()
