"""Callers from elsewhere choose times in their own zone, which the page detects and they can change."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from playwright.sync_api import expect

from booking.models import Appointment, Service
from clinic.demo.clinic import open_demo_clinic
from tests.journeys import steps

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]
NOVEMBER = datetime(2026, 11, 23, 15, tzinfo=UTC)
CALL = "/book/discovery-call/"
DETAILS = {"email": "maya@runners.example", "name": "Maya Lindqvist"}


@pytest.fixture(autouse=True)
def _november():
    with time_machine.travel(NOVEMBER):
        open_demo_clinic(now=NOVEMBER)
        Service.objects.filter(slug="discovery-call").update(horizon_days=150)
        yield


def booked_visit(page) -> Appointment:
    steps.give_details(page, **DETAILS)
    steps.press(page, "Book this visit")
    expect(page.get_by_role("heading", level=1)).to_have_text("You’re booked")
    return Appointment.objects.get(status=Appointment.Status.BOOKED)


def large_and_small(button) -> list[str]:
    return [
        " ".join(button.locator("time").inner_text().split()),
        " ".join(button.locator("small").inner_text().split()),
    ]


def test_caller_in_jamaica_sees_the_offset_of_the_day_of_the_call(open_browser, check_axe):
    page = open_browser(timezone_id="America/Jamaica")
    page.goto(f"{CALL}?from=2027-03-16")
    page.wait_for_url("**tz=America%2FJamaica")
    expect(page.get_by_label("Your time zone")).to_have_value("America/Jamaica")
    check_axe(page)
    steps.fits(page)
    page.locator('a.choice[href*="2027-03-16"]').click()
    first = page.locator(".time-grid button").first
    assert large_and_small(first) == ["7:00 AM", "8:00 AM EDT at the clinic"]
    check_axe(page)
    steps.fits(page)
    first.click()
    expect(page.locator("main")).to_contain_text("7:00 AM EST, which is 8:00 AM EDT at the clinic")
    visit = booked_visit(page)
    assert visit.starts_at == datetime(2027, 3, 16, 12, tzinfo=UTC)
    assert visit.visitor_time_zone == "America/Jamaica"


def test_clinic_time_is_not_shown_when_it_is_the_same_in_jamaica(open_browser):
    page = open_browser(timezone_id="America/Jamaica")
    page.goto(f"{CALL}2026-12-01/")
    page.wait_for_url("**tz=America%2FJamaica")
    expect(page.locator(".time-grid button time").first).to_have_text("8:00 AM")
    expect(page.locator(".time-grid small")).to_have_count(0)


@pytest.mark.parametrize("zone", ["UTC", "Atlantic/Reykjavik"])
def test_browser_that_hides_its_zone_gets_the_clinics_zone_and_can_change_it(open_browser, zone):
    page = open_browser(timezone_id=zone)
    page.goto(f"{CALL}2026-12-01/")
    expect(page.locator("main")).to_contain_text("Times are in Eastern time (New York)")
    expect(page.get_by_label("Your time zone")).to_have_value("America/New_York")
    assert "tz=" not in page.url
    page.locator(".time-grid button").first.click()
    visit = booked_visit(page)
    assert (visit.starts_at, visit.visitor_time_zone) == (datetime(2026, 12, 1, 13, tzinfo=UTC), "")


def test_zone_is_changed_without_a_script(open_browser):
    page = open_browser(java_script_enabled=False, timezone_id="Asia/Kolkata")
    page.goto(f"{CALL}?from=2026-12-07")
    page.get_by_text("In another time zone?").click()
    page.get_by_label("Your time zone").select_option("Europe/London")
    steps.press(page, "Show my times")
    expect(page.locator("main")).to_contain_text("Times are in London time, your time zone.")
    assert "from=2026-12-07" in page.url
    page.locator(".choice-list a.choice").first.click()
    assert large_and_small(page.locator(".time-grid button").first) == ["1:00 PM", "8:00 AM EST at the clinic"]
    page.locator(".time-grid button").first.click()
    visit = booked_visit(page)
    assert visit.starts_at.astimezone(ZoneInfo("Europe/London")).hour == 13


def test_visit_in_person_is_in_the_clinics_zone_from_anywhere(open_browser):
    page = open_browser(timezone_id="Asia/Kolkata")
    page.goto("/book/evaluation/")
    page.locator(".choice-list a.choice").last.click()
    expect(page.locator("main")).to_contain_text("All times are local time at the clinic (EST).")
    expect(page.locator(".time-grid small")).to_have_count(0)
    assert "tz=" not in page.url
