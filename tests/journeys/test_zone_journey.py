"""Staff enter the clinic. The browser or the state proposes its time zone; changing it must be confirmed."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from booking.models import Appointment
from clinic.demo.clinic import open_demo_clinic
from clinic.demo.login import EMAIL, PASSWORD
from clinic.demo.visits import book_demo_visits
from clinic.practice.models import Clinic, User
from tests.journeys import steps

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]
DESKTOP = {"width": 1280, "height": 900}
ZONE = "#id_time_zone"


@pytest.fixture
def describe(open_browser):
    """Return a function that opens the clinic's form, signed in."""

    def open_page(**options):
        page = open_browser(**{"viewport": DESKTOP, **options})
        page.goto("/staff/sign-in/?next=/admin/practice/clinic/")
        page.fill("#id_login", EMAIL)
        page.fill("#id_password", PASSWORD)
        page.click("#login-form [type=submit]")
        return page

    return open_page


@pytest.fixture
def owner():
    return User.objects.create_superuser(EMAIL, PASSWORD, name="Nora Ellis")


def test_browsers_zone_is_proposed_and_shown(owner, describe, check_axe):
    page = describe(timezone_id="America/Denver")

    expect(page.locator(ZONE)).to_have_value("America/Denver")
    expect(page.locator(".zone-note")).to_contain_text("Mountain time (Denver)")
    check_axe(page)
    assert not Clinic.objects.exists()
    page.click("[name=_save]")
    expect(page.locator(".messagelist")).to_be_visible()
    assert Clinic.objects.get().time_zone == "America/Denver"


def test_state_proposes_a_zone_without_a_script(owner, describe):
    page = describe(java_script_enabled=False, timezone_id="America/Denver")
    expect(page.locator(ZONE)).to_have_value("")
    page.fill("#id_region", "NH")
    page.click("[name=_save]")

    expect(page.locator(".field-time_zone .errorlist")).to_contain_text("New Hampshire is in Eastern time")
    expect(page.locator(ZONE)).to_have_value("America/New_York")
    assert not Clinic.objects.exists()
    page.click("[name=_save]")
    expect(page.locator(".messagelist")).to_be_visible()
    assert Clinic.objects.get().time_zone == "America/New_York"


@steps.SCRIPTS
def test_change_of_zone_is_confirmed_once_when_visits_are_booked(describe, check_axe, java_script):
    now = timezone.now()
    open_demo_clinic(now=now)
    book_demo_visits(now=now)
    before = set(Appointment.objects.values_list("pk", "starts_at"))
    page = describe(java_script_enabled=java_script)
    page.select_option(ZONE, "America/Los_Angeles")
    page.click("[name=_save]")

    expect(page.get_by_role("heading", name="What the new time zone changes")).to_be_visible()
    if java_script:
        check_axe(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="What the new time zone changes")).to_be_visible()
    page.get_by_label("I have read the list. Change the time zone to Pacific time (Los Angeles).").check()
    page.get_by_role("button", name="Save with the new time zone").click()
    expect(page.get_by_role("heading", name="Visits are affected")).to_be_visible()  # 9 AM in New York is 6 AM here
    if java_script:
        check_axe(page)
    page.get_by_role("button", name="Save anyway").click()

    expect(page.locator("section.zone-change")).to_have_count(0)
    expect(page.locator(ZONE)).to_have_value("America/Los_Angeles")
    assert Clinic.objects.get().time_zone == "America/Los_Angeles"
    assert set(Appointment.objects.values_list("pk", "starts_at")) == before


@pytest.mark.parametrize("zone", ["UTC", "Atlantic/Reykjavik"])
def test_zone_is_not_proposed_when_the_browser_hides_it(owner, describe, zone):
    page = describe(timezone_id=zone)

    expect(page.locator(ZONE)).to_have_value("")
    expect(page.locator(".zone-note")).to_have_count(0)
