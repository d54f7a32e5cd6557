"""Whether an address has an account or a patient cannot be told from a response: equal bytes, and no measurable time.

Known and unknown addresses take turns, so that both meet the same load of the machine. Hashing is fast here, so that a
difference of a query would not drown in it.
"""

import re
import time
from dataclasses import replace
from math import sqrt
from statistics import median

import pytest
from django.test import Client

from booking.actions import return_links
from clinic.practice.access import rate_limits
from clinic.staff.sign_in import views
from tests.clinic.staff.people import make_staff
from tests.factories import PatientFactory

pytestmark = [pytest.mark.django_db, pytest.mark.long]
TRIES = 500
FORMS = {
    "sign-in": ("/staff/sign-in/", {"password": "a guess of mine"}, "login"),
    "forgotten password": ("/staff/password/forgotten/", {}, "email"),
    "link to come back": ("/again/", {}, "email"),
}


def unlimited(limit):
    return replace(limit, at_once=10**6)


@pytest.fixture(autouse=True)
def no_limits(monkeypatch):
    """Lift the limits, which would answer all but the first tries."""
    for name in ("SIGN_INS", "NETWORK_SIGN_INS", "ACCOUNT_SIGN_INS"):
        monkeypatch.setattr(rate_limits, name, unlimited(getattr(rate_limits, name)))
    for name in ("RESETS", "NETWORK_RESETS"):
        monkeypatch.setattr(views, name, unlimited(getattr(views, name)))
    monkeypatch.setattr(return_links, "NETWORK_RETURN_LINKS", unlimited(return_links.NETWORK_RETURN_LINKS))
    monkeypatch.setattr(return_links, "PER_MAILBOX", tuple(unlimited(limit) for limit in return_links.PER_MAILBOX))


def visible(response, email: str) -> tuple:
    """Return what a visitor can see of a response, without the random values that each response has."""
    page = re.sub(rb'(nonce|value)="[A-Za-z0-9+/=_-]{16,}"', b"", response.content).replace(email.encode(), b"")
    headers = {name: value for name, value in response.headers.items() if name != "Content-Security-Policy"}
    return response.status_code, headers.keys(), headers.get("Location"), page, sorted(response.cookies)


def rank_sum_z(some: list[float], others: list[float]) -> float:
    """Return the z value of the Mann-Whitney test: about normal if both come from the same distribution."""
    ranks = {pair: rank for rank, pair in enumerate(sorted([(t, n) for n, t in enumerate(some + others)]), start=1)}
    total = sum(ranks[t, n] for n, t in enumerate(some))
    count, other_count = len(some), len(others)
    mean = count * (count + other_count + 1) / 2
    return (total - mean) / sqrt(count * other_count * (count + other_count + 1) / 12)


@pytest.mark.parametrize("form", FORMS)
def test_known_and_unknown_addresses_cannot_be_told_apart(form, clinic):
    path, fields, name = FORMS[form]
    make_staff("known@clinic.example")
    PatientFactory(email="known@clinic.example")
    seen, times = {}, {"known@clinic.example": [], "other@clinic.example": []}
    for number in range(TRIES + 10):
        order = list(times) if number % 2 else list(times)[::-1]
        for email in order:
            browser = Client()
            began = time.perf_counter()
            response = browser.post(path, {**fields, name: email})
            taken = time.perf_counter() - began
            if number >= 10:  # the first ones warm the caches
                times[email].append(taken)
            seen[email] = visible(response, email)

    known, unknown = times.values()
    assert seen["known@clinic.example"] == seen["other@clinic.example"]
    assert abs(median(known) / median(unknown) - 1) < 0.05
    assert abs(rank_sum_z(known, unknown)) < 4  # by chance once in 16,000 runs


def test_the_measure_sees_a_difference_of_a_tenth_of_the_time():
    times = [1 + n % 7 / 100 for n in range(TRIES)]
    assert abs(rank_sum_z(times, [1.1 * one for one in times])) > 4
    assert abs(rank_sum_z(times, [one + 1e-9 for one in times])) < 4
