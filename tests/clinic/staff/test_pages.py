"""Who opens the pages of staff accounts, with every method and role, and that garbage is rejected with a page."""

import copy
import json
import logging
import re
from base64 import urlsafe_b64encode

import pytest
from django.db import transaction
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from clinic.practice.models import RateLimit, Role
from clinic.staff.links import create_link, path_of
from clinic.staff.models import StaffLink
from tests.clinic.admin_pages import walk
from tests.clinic.staff.pages import VISITORS, cells_of
from tests.clinic.staff.people import add_app, add_passkey, make_staff, sign_in, signed_in
from tests.garbage import HARMFUL

pytestmark = [pytest.mark.django_db, pytest.mark.long]

METHODS = {"GET": "G", "HEAD": "G", "POST": "P"}  # and the letter of the table
STRANGE_METHODS = ("PUT", "DELETE", "OPTIONS", "PATCH")
DOORS = ("/staff/sign-in/", "/staff/security/authenticate/")
RESPONSE = {"clientDataJSON": "e30", "signature": "eA", "userHandle": "MQ"}


def truncated(cbor: bytes) -> str:
    """Return authenticator data with extensions that are not whole."""
    return urlsafe_b64encode(bytes(32) + b"\x85" + bytes(4) + cbor).decode().rstrip("=")


FIELDS = (
    *("login", "password", "next", "email", "oldpassword", "password1", "password2", "code", "name", "credential"),
    *("passwordless", "session", "ended"),
)
CREDENTIALS = [
    *("", "null", "1", '"x"', "[]", "{}", "{", '{"id": null}', '{"id": "x", "response": 1}', "[" * 100_000),
    json.dumps({"id": "*", "rawId": "*", "type": "public-key", "response": {"clientDataJSON": "*", "userHandle": "*"}}),
    json.dumps({"id": "eA", "rawId": "eA", "response": {"clientDataJSON": "e30", "attestationObject": "eA"}}),
    *(
        json.dumps({"response": RESPONSE | {"authenticatorData": truncated(cbor)}})
        for cbor in (b"", b"\x1b", b"\x81" * 3000)
    ),
    json.dumps(
        {"response": {"clientDataJSON": "e30", "authenticatorData": "eA", "signature": "eA", "userHandle": "MQ"}}
    ),
]


@pytest.fixture
def pages(clinic):
    """Return a function that makes the browser of a visitor, and the URL of each page for them."""
    logging.disable(logging.CRITICAL)
    yield open_account
    logging.disable(logging.NOTSET)


def open_account(visitor, role):
    user = make_staff(roles=[role])
    own = signed_in(user)
    add_app(own)
    key, link = add_passkey(user), create_link(email=user.email, purpose=StaffLink.Purpose.RESET, now=timezone.now())
    browser = {"none": Client(), "first": Client(), "staff": own}[visitor]
    if visitor == "first":
        assert sign_in(user, browser)["Location"] == "/staff/security/authenticate/"
    browser.raise_request_exception = False
    return browser, {name: address_of(route, key, link) for name, route in routes().items()}


def routes() -> dict[str, str]:
    (staff,) = [part for part in get_resolver().url_patterns if str(part.pattern) == "staff/"]
    found = {}
    for route, page in walk(staff):
        found.setdefault(page.name, route)  # the first of a name is the one that opens
    return found


def address_of(route, key, link) -> str:
    token = path_of(link).split("/")[-2]
    return "/staff/" + re.sub(r"<(\w+:)?(\w+)>", lambda match: token if match[2] == "token" else str(key.pk), route)


def ask(browser, method, address, data=None):
    """Request the page, undo what it does, and return the response."""
    before, cookies = transaction.savepoint_create(), copy.deepcopy(browser.cookies)
    response = browser.post(address, data) if method == "POST" else browser.generic(method, address)
    transaction.savepoint_rollback(before)
    browser.cookies = cookies
    assert response.status_code < 500, (method, address, data)
    return response


def is_open(response, visitor) -> bool:
    door = response.status_code == 302 and response["Location"].partition("?")[0]
    return response.status_code not in (403, 404, 405) and not (door in DOORS and visitor != "staff")


def test_every_page_is_in_the_table():
    assert routes().keys() == cells_of().keys(), "enter new pages in pages.py"


@pytest.mark.parametrize(
    ("visitor", "role"), [("none", "owner"), ("first", "owner"), *(("staff", one) for one in Role)]
)
def test_visitor_opens_their_pages_and_no_other(pages, visitor, role):
    browser, addresses = pages(visitor, role)
    expected, faults = cells_of(), {}
    for name, address in addresses.items():
        opened = {method for method in METHODS if is_open(ask(browser, method, address), visitor)}
        if opened != (wanted := {method for method, letter in METHODS.items() if letter in expected[name][visitor]}):
            faults[name] = (sorted(opened), sorted(wanted))
    assert faults == {}


@pytest.mark.parametrize("visitor", VISITORS)
def test_no_page_answers_another_method(pages, visitor):
    browser, addresses = pages(visitor, Role.OWNER)
    answered = {
        (name, method): status
        for name, address in addresses.items()
        for method in STRANGE_METHODS
        if (status := ask(browser, method, address).status_code) != 405
    }
    assert answered == {}


def test_another_accounts_passkey_is_not_found(pages):
    browser, addresses = pages("staff", Role.OWNER)
    other = add_passkey(make_staff("sam@clinic.example"))
    for name in ("mfa_edit_webauthn", "mfa_remove_webauthn"):
        address = re.sub(r"\d+", str(other.pk), addresses[name])
        assert [ask(browser, method, address).status_code for method in ("GET", "POST")] == [404, 404]


@pytest.mark.parametrize("visitor", VISITORS)
def test_every_field_handles_garbage(pages, visitor):
    browser, addresses = pages(visitor, Role.OWNER)
    for address in addresses.values():
        for value in HARMFUL:
            RateLimit.objects.all().delete()
            ask(browser, "POST", address, dict.fromkeys(FIELDS, value))
            ask(browser, "GET", f"{address}?next=%00{value[:50].encode().hex()}")


@pytest.mark.parametrize("visitor", VISITORS)
def test_malformed_passkeys_are_rejected(pages, visitor):
    browser, addresses = pages(visitor, Role.OWNER)
    for name in [name for name in addresses if "webauthn" in name or name == "mfa_authenticate"]:
        for value in CREDENTIALS:
            ask(browser, "GET", addresses[name])  # makes the challenge
            ask(browser, "POST", addresses[name], {"credential": value, "name": "x"})
