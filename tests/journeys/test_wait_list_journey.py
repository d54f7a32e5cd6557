"""Two people wait for an earlier time. A time is freed, both get an offer, and the first to accept gets it."""

import re
from datetime import datetime, time, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from booking.models import Appointment
from clinic.outbox.sending.hand_over import send_due_messages
from clinic.practice.models import Clinic
from tests.journeys import steps

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("demo_clinic"), pytest.mark.long]

OFFER = re.compile(r"https?://[^/]+(/offers/[\w-]{43}/)")


def send_tomorrow_noon():
    """Send messages as of noon tomorrow, which is always outside quiet hours."""
    zone = Clinic.objects.current().zone
    noon = datetime.combine(timezone.now().astimezone(zone).date() + timedelta(days=1), time(12), zone)
    send_due_messages(clock=lambda: noon)


def offer_to(post_office, email):
    mail = next(mail for mail in reversed(post_office.mails) if mail["To"] == email)
    return OFFER.search(mail.get_body(("plain",)).get_content())[1]


@steps.SCRIPTS
def test_freed_time_is_offered_to_two_people_and_the_first_to_accept_gets_it(
    open_browser, post_office, check_axe, java_script
):
    page, heading = open_browser(java_script_enabled=java_script), {"level": 1}

    def arrive(words):
        expect(page.get_by_role("heading", **heading)).to_have_text(words)
        steps.fits(page)
        if java_script:
            check_axe(page)

    # Wilma books the last time of the last day, Alice an earlier one.
    page.goto("/book/evaluation/")
    page.locator(".choice-list a.choice").last.click()
    page.locator(".time-grid button").last.click()
    steps.give_details(page, name="Wilma Later", email="wilma@runners.example")
    steps.press(page, re.compile("^Book this visit"))
    page.get_by_role("link", name="Tell me about earlier times").click()
    arrive("Want an earlier time?")
    steps.press(page, "Yes, email me")
    arrive("You are on the wait list")
    when = steps.book(page, "Evaluation", name="Alice Runner", email="alice@runners.example")
    alices = page.url

    page.goto("/book/evaluation/")
    page.get_by_role("link", name="Join the wait list").click()
    arrive("Join the wait list")
    steps.press(page, "Join the wait list")
    expect(page.locator(".error-summary")).to_be_visible()
    steps.give_details(page, name="Walter Waiting", email="walter@runners.example")
    steps.press(page, "Join the wait list")
    arrive("You are on the wait list")

    page.goto(alices)
    page.get_by_role("link", name="Cancel this visit").click()
    steps.press(page, "Yes, cancel it")
    send_tomorrow_noon()

    page.goto(offer_to(post_office, "walter@runners.example"))
    arrive("Would you like this time?")
    expect(page.locator("main")).to_contain_text(when)
    page.goto(offer_to(post_office, "wilma@runners.example"))
    steps.press(page, "Yes, I’ll take it")
    expect(page.get_by_role("heading", **heading)).to_have_text("Your visit is moved")
    expect(page.locator("main")).to_contain_text(when)
    assert Appointment.objects.filter(patient__name="Wilma Later", status="booked").count() == 1

    page.goto(offer_to(post_office, "walter@runners.example"))
    arrive("This time is gone")
    expect(page.locator("main")).to_contain_text("You stay on the wait list")
