"""Read, book, get the email, move and cancel on a phone, with and without JavaScript; booking by keyboard."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from booking.models import Appointment
from clinic.demo.intakes import CALM
from clinic.outbox.models import Message, State
from clinic.outbox.sending.hand_over import send_due_messages
from tests.journeys import steps

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("demo_clinic")]


@steps.SCRIPTS
def test_runner_reads_books_is_notified_moves_and_cancels(open_browser, post_office, java_script):
    page = open_browser(java_script_enabled=java_script)
    page.goto("/")
    page.get_by_role("link", name=re.compile("hip flexor", re.I)).first.click()
    article = page.get_by_role("heading", level=1).inner_text()
    first_card = page.locator(".care-emergency").first
    expect(first_card).to_be_visible()
    assert first_card.bounding_box()["y"] < page.locator("article h2:not(.care-card h2)").last.bounding_box()["y"]
    for link in ("Discovery call", "Evaluation"):
        expect(page.get_by_role("link", name=re.compile(link)).first).to_be_visible()

    page.get_by_role("link", name=re.compile("^Book.*discovery call", re.I)).first.click()
    steps.fits(page)
    steps.screen(page, CALM)
    expect(page.locator("main")).to_contain_text(article)  # the page still names the article
    when = steps.choose_time(page)
    assert "hip" not in page.url.lower()
    steps.give_details(page, name="Maya Lindqvist", email="maya@runners.example")
    steps.press(page, re.compile("^Book this visit"))
    expect(page.get_by_role("heading", level=1)).to_have_text("You’re booked")
    expect(page.locator("main")).to_contain_text(when)

    assert send_due_messages(clock=timezone.now) >= 1
    text, link = steps.read_mail(post_office.mails[0])
    assert when in text
    assert "text/calendar" in [part.get_content_type() for part in post_office.mails[0].walk()]

    page.goto(link)
    expect(page.locator("main")).to_contain_text(when)
    page.get_by_role("link", name="Move to another time").click()
    page.locator(".choice-list a.choice").last.click()
    page.locator(".time-grid a").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Move your visit?")
    expect(page.locator("main")).to_contain_text(when)
    steps.fits(page)
    assert Appointment.objects.get().version == 1  # opening the page moves nothing
    steps.press(page, "Yes, move it")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your visit is moved")
    expect(page.get_by_role("status")).to_contain_text(f"Moved from {when}")
    steps.press(page, "Undo: move it back")
    expect(page.locator(".lede")).to_contain_text(when)
    page.get_by_role("link", name="Cancel this visit").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cancel this visit?")
    assert Appointment.objects.get().status == "booked"  # opening the page cancels nothing
    steps.press(page, "Yes, cancel it")
    expect(page.get_by_role("heading", level=1)).to_have_text("This visit is canceled")
    assert Appointment.objects.get().status == "cancelled"
    assert not Message.objects.filter(kind__contains="reminder", state=State.WAITING).exists()


def test_runner_books_with_the_keyboard_alone(page):
    page.goto("/book/evaluation/")

    def press_until(selector, key="Tab", most=60):
        for _ in range(most):
            page.keyboard.press(key)
            if page.evaluate("s => document.activeElement.matches(s)", selector):
                return
        raise AssertionError(f"{key} does not reach {selector} on {page.url}")

    press_until(".choice-list a.choice")
    page.keyboard.press("Enter")
    page.wait_for_selector(".time-grid")
    press_until(".time-grid button")
    page.keyboard.press("Enter")
    page.wait_for_selector("input[name=name]")
    for field, value in (("name", "Tom Reyes"), ("email", "tom@runners.example"), ("phone", "(603) 555-0123")):
        press_until(f"input[name={field}]")
        page.keyboard.type(value)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("You’re booked")


def test_times_of_a_call_are_in_the_visitors_zone(open_browser, check_axe):
    page = open_browser(timezone_id="America/Los_Angeles")
    page.goto("/book/discovery-call/")
    page.locator(".choice-list a.choice").last.click()
    page.wait_for_url("**tz=America**")

    expect(page.get_by_label("Your time zone")).to_have_value("America/Los_Angeles")
    expect(page.locator(".time-grid button").first).to_contain_text("5:00 AM")  # 8 AM at the clinic
    check_axe(page)
    steps.fits(page)


def test_form_keeps_what_was_typed_when_a_field_is_missing(page, check_axe):
    page.goto("/book/evaluation/")
    steps.choose_time(page)
    page.get_by_label("Patient’s name").fill("Priya Raman")
    steps.press(page, re.compile("^Book this visit"))

    expect(page.locator(".error-summary")).to_be_visible()
    expect(page.get_by_label("Patient’s name")).to_have_value("Priya Raman")
    check_axe(page)
    steps.fits(page)


@steps.SCRIPTS
def test_form_keeps_what_was_typed_when_ten_more_minutes_are_requested(open_browser, java_script):
    page = open_browser(java_script_enabled=java_script)
    page.goto("/book/evaluation/")
    steps.choose_time(page)
    page.get_by_label("Patient’s name").fill("Priya Raman")
    page.get_by_label("I am booking for someone under 18").check()
    steps.press(page, "I need 10 more minutes")

    expect(page.get_by_role("status")).to_contain_text("You now have until")
    expect(page.get_by_label("Patient’s name")).to_have_value("Priya Raman")
    expect(page.get_by_label("I am booking for someone under 18")).to_be_checked()
    steps.fits(page)
    page.get_by_label("I am booking for someone under 18").uncheck()
    steps.give_details(page, name="Priya Raman", email="priya@runners.example")
    page.get_by_label("Patient’s name").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("You’re booked")


PAGES = [
    "/",
    "/learn/",
    "/learn/hip-flexor-pain-running/",
    "/book/",
    "/book/discovery-call/",
    "/nowhere/",
    "/visits/x/",
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_page_is_accessible(open_browser, check_axe, path, scheme):
    page = open_browser(color_scheme=scheme)
    page.goto(path)

    check_axe(page)
    steps.fits(page)


def test_pages_of_booking_are_accessible(page, check_axe):
    journey = (
        (lambda: page.goto("/book/discovery-call/"), "Which day works for you?"),
        (lambda: page.locator(".choice-list a.choice").first.click(), re.compile(r"\d")),
        (lambda: page.locator(".time-grid button").first.click(), "Who is coming?"),
        (lambda: steps.book(page, "Evaluation", name="Sam Whitcomb", email="sam@runners.example"), "You’re booked"),
        (lambda: page.get_by_role("link", name="Cancel this visit").click(), "Cancel this visit?"),
        (lambda: steps.press(page, "Yes, cancel it"), "This visit is canceled"),
    )
    for press, heading in journey:
        press()
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        check_axe(page)
        steps.fits(page)
