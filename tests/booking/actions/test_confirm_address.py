"""Strangers can use up the rate limit of an address. Its owner still gets through by a link from the mailbox."""

import re
import uuid

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from booking.models import Appointment, WaitListEntry
from booking.schedule.visit_links import visit_path
from clinic.practice.models import Clinic, Proof
from tests.booking.visitors import DAY, MINUTE, TIMES, book_online, join
from tests.clinic.letters import sweep
from tests.world import NOW, book

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def confirm_link(post_office) -> str:
    sweep(now=NOW)
    mails = [mail for mail in post_office.mails if "confirm" in mail["Subject"].lower()]
    return re.search(r"/again/confirm/[^/]+/", mails[-1].get_body(("plain",)).get_content())[0]


def five_strangers_book(email="alice@example.com"):
    for number in range(5):
        who = {"name": f"Stranger{number} Mean", "email": email, "address": f"198.51.{number}.1"}
        assert book_online(number, **who).status_code == 303


def test_owner_of_an_address_at_its_limit_gets_through_by_an_emailed_link(evaluation, post_office):
    five_strangers_book()
    browser, key = Client(), uuid.uuid4()
    asked = book_online(5, browser=browser, key=key)
    assert asked.status_code == 429
    assert asked.context["confirm"] == {"email": "alice@example.com", "is_new": True}
    assert 'value="Alice Runner"' in asked.content.decode()
    link = confirm_link(post_office)
    assert f'action="{link}"' in browser.get(link).text
    assert book_online(5, browser=browser, key=key).status_code == 429, "looking confirms nothing"
    assert browser.post(link)["Location"] == "/again/confirmed/"
    assert browser.get("/again/confirmed/").context["form_path"] == "/book/"
    assert book_online(5, browser=browser, key=key).status_code == 303
    assert book_online(6).status_code == 429, "another browser has confirmed nothing"
    assert Appointment.objects.filter(starts_at=TIMES[5]).get().patient.name == "Alice Runner"


def test_owner_still_gets_a_link_when_strangers_use_up_the_confirmation_emails(evaluation, post_office, clock):
    five_strangers_book()
    for number in range(12):
        book_online(6, address=f"198.51.{number}.1", email=f"Alice+{number}@example.com")
        clock.shift(6 * MINUTE)
        sweep(now=NOW + (number + 1) * 6 * MINUTE)
    confirming = [mail for mail in post_office.mails if "confirm" in mail["Subject"].lower()]
    assert len(confirming) == 3
    browser = Client()
    asked = book_online(6, browser=browser)
    assert asked.context["confirm"]["is_new"] is False
    link = re.search(r"/again/confirm/[^/]+/", confirming[0].get_body(("plain",)).get_content())[0]
    browser.post(link)
    assert book_online(6, browser=browser).status_code == 303


def test_recognized_patient_has_a_limit_of_their_own_apart_from_strangers(evaluation):
    path = visit_path(book(evaluation, starts_at=TIMES[10]), proof=Proof.MAILED, now=NOW)
    five_strangers_book()
    browser = Client()
    browser.post(path + "again/")
    answers = [book_online(n, browser=browser, address="198.51.0.1").status_code for n in (5, 6, 7, 8, 9, 11)]
    assert answers == [303] * 5 + [429]


def test_spellings_of_one_address_share_one_limit(evaluation):
    Clinic.objects.update(bookings_a_day_per_address=2)
    spellings = ("alice@example.com", "Alice@Example.com", "alice+x@example.com", "bob@example.com")
    answers = [book_online(n, email=email, address=f"198.51.{n}.1").status_code for n, email in enumerate(spellings)]
    assert answers == [303, 303, 429, 303]


def test_known_and_unknown_addresses_over_their_limit_cannot_be_told_apart(evaluation, clock):
    Clinic.objects.update(bookings_a_day_per_address=1)
    book(evaluation, starts_at=TIMES[10])  # Alice is a patient; Nelly is not, and never becomes one
    book(evaluation, starts_at=TIMES[0], name="Bob Faster")
    pages, statements = [], []
    for name, email in (("Alice Runner", "alice@example.com"), ("Nelly Nobody", "nelly@example.com")):
        assert book_online(0, name=name, email=email, address="198.51.1.1").status_code == 409
        with CaptureQueriesContext(connection) as queries:
            page = book_online(1, name=name, email=email, address="198.51.2.1").content.decode()
        for own in (name, email):
            page = page.replace(own, "…")
        pages.append(re.sub(r'value="[\w-]{36,}"', "", page))
        statements.append([re.sub(r"'[^']*'(::\w+)?|\d+", "?", query["sql"]) for query in queries])
    assert pages[0] == pages[1]
    assert sorted(statements[0]) == sorted(statements[1])


@pytest.mark.parametrize("token", ["x", "x:y", f"{uuid.UUID(int=7)}:forged", "A" * 43])
def test_a_forged_link_confirms_nothing(client, clinic, token):
    for answer in (client.get(f"/again/confirm/{token}/"), client.post(f"/again/confirm/{token}/")):
        assert answer.status_code == 404
    assert not client.cookies


def test_a_confirming_link_ends_after_a_day_and_the_cookie_cannot_be_forged(evaluation, post_office, clock):
    five_strangers_book()
    browser = Client()
    book_online(5, browser=browser)
    link = confirm_link(post_office)
    clock.shift(DAY)
    assert browser.post(link).status_code == 410
    browser.cookies["own_address"] = "0" * 64
    clock.move_to(NOW + MINUTE)
    assert book_online(5, browser=browser).status_code == 429


def test_wait_list_limit_of_an_address_applies_until_it_is_confirmed(evaluation, post_office):
    Clinic.objects.update(bookings_a_day_per_address=2)
    browser = Client()
    answers = [join(number, browser=browser, address=f"198.51.{number}.1").status_code for number in range(3)]
    assert answers == [303, 303, 429]
    browser.post(confirm_link(post_office))
    assert join(2, browser=browser).status_code == 303
    assert WaitListEntry.objects.count() == 3
