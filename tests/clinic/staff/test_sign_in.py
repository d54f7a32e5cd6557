"""Guessing passwords is limited and costs little CPU time, while the account's owner can still sign in."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client

from clinic.practice.access.rate_limits import ACCOUNT_SIGN_INS, KNOWN_BROWSER_SIGN_INS, NETWORK_SIGN_INS, SIGN_INS
from clinic.practice.models import RateLimit, User

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
PASSWORD, MINUTE = "a long walk by the lake", timedelta(minutes=1)


class CountingHasher(MD5PasswordHasher):
    """A fast hasher that counts how often it hashed a password."""

    count = 0

    def encode(self, password, salt):
        type(self).count += 1
        return super().encode(password, salt)


@pytest.fixture(autouse=True)
def owner(settings):
    settings.PASSWORD_HASHERS = ["tests.clinic.staff.test_sign_in.CountingHasher"]
    with time_machine.travel(NOW, tick=False):
        yield User.objects.create_superuser("olga@clinic.example", PASSWORD, name="Olga")


def try_to_sign_in(password="a guess", *, account="olga@clinic.example", address="192.0.2.7", browser=None):
    form = {"login": account, "password": password, "next": "/admin/"}
    return (browser or Client()).post("/staff/sign-in/", form, REMOTE_ADDR=address)


def work_on_passwords(act) -> int:
    before = CountingHasher.count
    act()
    return CountingHasher.count - before


def test_guesses_are_refused_with_the_retry_time_and_without_hashing(owner):
    assert [try_to_sign_in().status_code for _ in range(SIGN_INS.at_once)] == [200] * SIGN_INS.at_once
    refused = []
    assert work_on_passwords(lambda: refused.append(try_to_sign_in(PASSWORD))) == 0
    assert (refused[0].status_code, refused[0]["Retry-After"]) == (429, "300")
    page = refused[0].content.decode()
    assert "Please wait 5 minutes" in page and "10:06 AM" in page
    with time_machine.travel(NOW + 5 * MINUTE, tick=False):
        assert try_to_sign_in(PASSWORD).status_code == 302


def test_owner_signs_in_from_another_network_while_a_stranger_guesses(owner):
    for _ in range(50):
        try_to_sign_in()
    assert try_to_sign_in(PASSWORD).status_code == 429
    assert try_to_sign_in(PASSWORD, address="198.51.100.1").status_code == 302


def test_guesses_from_many_networks_are_limited_and_the_limit_resets_within_minutes(owner):
    answers = [try_to_sign_in(address=f"198.{n % 250}.{n // 250}.1").status_code for n in range(60)]
    assert answers == [200] * ACCOUNT_SIGN_INS.at_once + [429] * (60 - ACCOUNT_SIGN_INS.at_once)
    with time_machine.travel(NOW + ACCOUNT_SIGN_INS.every, tick=False):
        assert try_to_sign_in(PASSWORD, address="203.0.113.5").status_code == 302


def test_owner_signs_in_with_a_known_browser_whatever_strangers_do(owner):
    browser = Client()
    assert try_to_sign_in(PASSWORD, browser=browser).status_code == 302
    browser.post("/staff/sign-out/")
    for n in range(60):
        try_to_sign_in(address=f"198.{n}.0.1")
        try_to_sign_in()
    assert try_to_sign_in(PASSWORD, address="203.0.113.5").status_code == 429
    assert try_to_sign_in(PASSWORD, browser=browser).status_code == 302


def test_known_browser_is_limited_and_is_not_known_to_other_accounts(owner):
    User.objects.create_superuser("frank@clinic.example", PASSWORD, name="Frank")
    browser = Client()
    try_to_sign_in(PASSWORD, browser=browser)
    browser.post("/staff/sign-out/")
    most = KNOWN_BROWSER_SIGN_INS.at_once
    assert [try_to_sign_in(browser=browser).status_code for _ in range(most + 1)] == [200] * most + [429]
    most = SIGN_INS.at_once
    answers = [try_to_sign_in(browser=browser, account="frank@clinic.example").status_code for _ in range(most + 1)]
    assert answers == [200] * most + [429]


def test_cookie_of_a_known_browser_cannot_be_forged(owner):
    browser = Client()
    browser.cookies["known_browser"] = str(owner.pk)
    answers = [try_to_sign_in(browser=browser).status_code for _ in range(SIGN_INS.at_once + 1)]
    assert answers[-1] == 429


def test_browser_is_unknown_to_an_account_with_a_new_password(owner):
    browser = Client()
    try_to_sign_in(PASSWORD, browser=browser)
    browser.post("/staff/sign-out/")
    owner.set_password("another quiet boat in May")
    owner.save()
    for n in range(60):
        try_to_sign_in(address=f"198.{n}.0.1")
    assert try_to_sign_in(browser=browser).status_code == 429


def test_browser_in_which_the_password_was_changed_stays_known(owner):
    browser, new = Client(), "another quiet boat in May"
    try_to_sign_in(PASSWORD, browser=browser)
    browser.post("/staff/password/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    browser.post("/staff/sign-out/")
    for n in range(60):
        try_to_sign_in(address=f"198.{n}.0.1")
    assert try_to_sign_in(new, browser=browser).status_code == 302


def test_guesses_at_many_accounts_from_one_network_are_limited(owner):
    answers = [
        try_to_sign_in(account=f"unknown{n}@clinic.example").status_code for n in range(NETWORK_SIGN_INS.at_once + 5)
    ]
    assert answers == [200] * NETWORK_SIGN_INS.at_once + [429] * 5


def test_known_and_unknown_accounts_get_the_same_answers_and_hashing(owner):
    pages, work = [], []
    for account in ("olga@clinic.example", "unknown@clinic.example"):
        tries = [None] * (SIGN_INS.at_once + 1)

        def guess(tries=tries, account=account):
            tries[:] = [try_to_sign_in(account=account) for _ in tries]

        work.append(work_on_passwords(guess))
        pages.append([(page.status_code, page.content.decode().count("errornote")) for page in tries])
    assert pages[0] == pages[1]
    assert work[0] == work[1] == SIGN_INS.at_once


def test_empty_form_and_opening_the_page_cost_nothing(owner):
    assert Client().get("/staff/sign-in/").status_code == 200
    assert try_to_sign_in("").status_code == try_to_sign_in(account="").status_code == 200
    assert not RateLimit.objects.exists()


def test_account_is_the_same_in_every_spelling(owner):
    spellings = ("Olga@clinic.example", " olga@CLINIC.example ", "OLGA@CLINIC.EXAMPLE")
    answers = [try_to_sign_in(account=spellings[n % 3]).status_code for n in range(SIGN_INS.at_once + 1)]
    assert answers[-1] == 429
