"""Canceling in time and too late, on a phone. Each step uses a browser without history."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from booking.models import Appointment
from clinic.practice.models import Clinic
from tests.journeys import steps

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("demo_clinic"), pytest.mark.long]


@steps.SCRIPTS
def test_runner_cancels_on_the_not_coming_page_and_undoes_it(phone, check_axe, java_script):
    page = phone()
    steps.book(page, "Evaluation", name="Maya Lindqvist", email="maya@runners.example")
    visit = page.url
    expect(page.get_by_text("You can move or cancel online until")).to_be_visible()
    page.context.close()

    page = phone()
    page.goto(f"{visit}not-coming/")
    expect(steps.heading(page)).to_have_text("Can’t make it?")
    expect(page.get_by_text("Nothing has changed yet.")).to_be_visible()
    steps.fits(page)
    if java_script:
        check_axe(page)
    page.get_by_role("button", name="Cancel this visit").click()
    expect(steps.heading(page)).to_have_text("This visit is canceled")
    steps.press(page, "Undo: keep my visit")
    expect(steps.heading(page)).to_have_text("You’re booked")


@steps.SCRIPTS
def test_runner_who_is_too_late_notifies_the_clinic_and_staff_see_it(phone, open_browser, check_axe, java_script):
    page = phone()
    steps.book(page, "Evaluation", name="Maya Lindqvist", email="maya@runners.example")
    visit = page.url
    page.context.close()
    Clinic.objects.update(change_window_hours=24 * 365)
    Appointment.objects.filter(patient__email="maya@runners.example").update(
        created_at=timezone.now() - timedelta(hours=1)
    )

    page = phone()
    page.goto(visit)
    page.get_by_role("link", name="I can’t make it").click()
    expect(page.get_by_text("too late to cancel online")).to_be_visible()
    expect(page.locator('main a[href^="tel:"]').first).to_be_visible()
    steps.fits(page)
    if java_script:
        check_axe(page)
    page.get_by_role("button", name="Tell the clinic I can’t come").click()
    expect(steps.heading(page)).to_have_text("Thank you for telling us")
    page.context.close()

    desk = open_browser(viewport={"width": 1280, "height": 900})
    steps.log_in(desk)
    expect(desk.get_by_role("heading", name="Cannot come")).to_be_visible()
    expect(desk.locator(".group-calls")).to_contain_text("Maya Lindqvist")
