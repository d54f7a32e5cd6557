"""Fast password hashing for the tests of sign-in: a real hash takes a second of CPU."""

import pytest


@pytest.fixture(autouse=True)
def fast_hashing(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
