"""Passwords: long ones pass, guessable ones do not (NIST SP 800-63B-4, section 3.1.1)."""

import time

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from tests.clinic.staff.people import make_staff

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "password",
    [
        "Runclinic2026!",
        "Runclinic2026!!!",
        "14 characters!",
        "passwordpassword1",
        "qwertyuiopasdfgh",
        "aaaaaaaaaaaaaaaaaaaa",
        "123456789012345678",
        "Summer2026Summer2026",
        "OlgaOwnerClinic2026",
        "olga@clinic.example",
        "P@ssw0rdP@ssw0rd",
        "running-physical-therapy",
        "iloveyou1iloveyou1",
    ],
)
def test_password_is_refused_when_it_is_easy_to_guess(password):
    with pytest.raises(ValidationError):
        validate_password(password, make_staff())


@pytest.mark.parametrize(
    "password",
    [
        "five quiet boats in winter",
        "easy-run-by-the-lake",
        "mein Fahrrad hat keinen Sattel",
        "湖のそばを走るのが好きです、本当に",
        "fj39 2kd0 xxw8 qqpz",
        "no digits nor capitals are needed here" * 3,
    ],
)
def test_password_passes_when_it_is_long_and_not_guessable(password):
    validate_password(password, make_staff())


def test_longest_password_is_checked_in_a_moment():
    began = time.process_time()
    validate_password("five quiet boats in winter " * 40, make_staff())
    assert time.process_time() - began < 1
