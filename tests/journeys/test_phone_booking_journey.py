"""The front desk books for someone on the phone, on a phone-sized screen, in four steps from Today."""

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from playwright.sync_api import expect

from booking.models import Appointment, Service
from clinic.demo import login
from clinic.demo.clinic import open_demo_clinic
from clinic.practice.models import Patient, Therapist
from clinic.practice.people.patients import find_or_register_patient
from tests.journeys import steps
from tests.journeys.conftest import PHONE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]
NEW_YORK = ZoneInfo("America/New_York")
EIGHT_ON_TUESDAY = datetime(2026, 12, 1, 13, tzinfo=UTC)
SIZES = (PHONE, {"width": 768, "height": 1024}, {"width": 1280, "height": 900})
CALLERS = (("Ruth Hadley", "+16035550117"), ("Denise Okafor", "+16035550118"))


@pytest.fixture
def open_desk(open_browser):
    """Return a function that opens Today as the front desk, at 8 AM on a Tuesday."""
    with time_machine.travel(EIGHT_ON_TUESDAY):
        open_demo_clinic(now=EIGHT_ON_TUESDAY)
        for name, phone in CALLERS:
            email = f"{name.split()[0].lower()}@runners.example"
            find_or_register_patient(name=name, email=email, phone=phone, now=EIGHT_ON_TUESDAY)
        Patient.objects.filter(name="Ruth Hadley").update(birth_on=date(1988, 3, 14))

        def sign_in(**options):
            page = open_browser(**options)
            steps.log_in(page, email=login.FRONT_DESK_EMAIL)
            return page

        yield sign_in


def look_up(page, text) -> None:
    page.get_by_label("Find the patient").fill(text)
    page.get_by_role("button", name="Look up").last.click()
    expect(page.locator("#id_find")).to_have_value("")


@pytest.mark.parametrize(
    ("who", "java_script"), [("hadley", True), ("March 14, 1988", False), ("+1 (603) 555 0117", False)]
)
def test_known_caller_is_booked_in_four_steps_by_the_search(open_desk, who, java_script):
    page = open_desk(java_script_enabled=java_script)
    # Step 1 of 4: find a time for the service.
    page.get_by_role("link", name="Find a time").click()
    page.get_by_label("Service").select_option(label="Evaluation")
    page.get_by_role("button", name="Find times").click()
    # Step 2 of 4: the time.
    page.locator("a.time:not(.is-marked)").first.click()
    # Step 3 of 4: the person.
    look_up(page, who)
    page.get_by_role("radio", name=re.compile("^Ruth Hadley")).check()
    # Step 4 of 4: book.
    page.get_by_role("button", name="Book this visit").click()
    expect(page.locator(".messagelist .success")).to_contain_text("told by email")
    visit = Appointment.objects.latest("created_at")
    assert (visit.patient.name, visit.service.slug) == ("Ruth Hadley", "evaluation")
    assert "ruth" not in page.url.lower() and "0117" not in page.url


@steps.SCRIPTS
def test_new_caller_is_booked_in_four_steps_from_a_gap(open_desk, java_script):
    page = open_desk(java_script_enabled=java_script)
    # Step 1 of 4: the gap.
    page.locator(".row-gap").last.get_by_role("link", name="Book a visit").click()
    # Step 2 of 4: the service. The beginning of the gap fits it; with a script, other times are one press away.
    page.get_by_label("Service").select_option(label="Discovery call")
    if java_script:
        page.locator("button.time:visible").first.click()
    page.get_by_label("How to meet").select_option(label="by phone")
    # Step 3 of 4: the person, who is not on file: the search becomes the name of a new patient.
    look_up(page, "Zed Newman")
    expect(page.get_by_label("Name")).to_have_value("Zed Newman")
    page.get_by_label("Phone").fill("603 555 0177")
    # Step 4 of 4: book, at shorter notice than patients may, which is only noted.
    page.get_by_role("button", name="Book this visit").click()
    expect(page.locator(".messagelist .success")).to_contain_text("call (603) 555-0177")
    visit = Appointment.objects.latest("created_at")
    assert (visit.patient.phone, visit.patient.email, visit.mode) == ("+16035550177", "", "phone")


def test_broken_rule_is_confirmed_and_a_taken_time_offers_the_nearest(open_desk):
    page = open_desk()
    service, therapist = Service.objects.get(slug="evaluation"), Therapist.objects.get()
    at_six = f"service={service.pk}&therapist={therapist.pk}&starts_at=2026-12-02T06:00"
    page.goto(f"/admin/booking/appointment/add/?{at_six}")
    expect(page.get_by_label("Do it anyway")).to_be_visible()
    look_up(page, "hadley")
    page.get_by_role("radio", name=re.compile("^Ruth Hadley")).check()
    page.get_by_label("Do it anyway").check()
    page.get_by_role("button", name="Book this visit").click()
    expect(page.locator(".messagelist .success")).to_be_visible()
    taken = Appointment.objects.latest("created_at")
    page.goto(f"/admin/booking/appointment/add/?service={taken.service_id}&therapist={taken.therapist_id}")
    page.get_by_label("Starts").fill(f"{taken.starts_at.astimezone(NEW_YORK):%Y-%m-%dT%H:%M}")
    look_up(page, "okafor")
    page.get_by_role("radio", name=re.compile("^Denise Okafor")).check()
    page.get_by_role("button", name="Book this visit").click()
    count = Appointment.objects.count()
    page.locator("button.time:visible").first.click()
    expect(page.get_by_role("radio", name=re.compile("^Denise Okafor"))).to_be_checked()
    page.get_by_role("button", name="Book this visit").click()
    expect(page.locator(".messagelist .success")).to_be_visible()
    assert Appointment.objects.count() == count + 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_pass_axe_and_fit_every_screen(open_desk, check_axe, scheme):
    page = open_desk(color_scheme=scheme)
    for size in SIZES:
        page.set_viewport_size(size)
        page.goto("/admin/booking/appointment/find/")
        page.get_by_label("Service").select_option(label="Evaluation")
        page.get_by_role("button", name="Find times").click()
        page.locator("a.time").first.wait_for()
        check_axe(page)
        steps.fits(page)
        page.locator("a.time").first.click()
        look_up(page, "hadley")
        check_axe(page)
        steps.fits(page)
        page.get_by_role("button", name="Book this visit").click()
        page.get_by_role("button", name="Book this visit").wait_for()
        check_axe(page)
