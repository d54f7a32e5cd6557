"""A day at the door: the patient presses "I'm here" on a phone, and the therapist's Today follows."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from playwright.sync_api import expect

from booking.models import Appointment, Service
from booking.schedule.visit_links import visit_path
from clinic.demo.clinic import open_demo_clinic
from tests.journeys import steps
from tests.world import book

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

NINE = datetime(2026, 12, 1, 14, tzinfo=UTC)  # Tuesday, 9 AM in New York
AT_THE_DOOR = NINE - timedelta(minutes=4)


@pytest.fixture
def visit():
    """A visit of Alice with Nora at nine, with a late fee; it is four minutes to nine."""
    booked_at = NINE - timedelta(days=6)
    open_demo_clinic(now=booked_at)
    service = Service.objects.get(slug="evaluation")
    service.late_fee_cents, service.is_first_late_free = 4500, True
    service.save()
    visit = book(service, starts_at=NINE, now=booked_at)
    with time_machine.travel(AT_THE_DOOR):
        yield visit


@pytest.fixture
def desk(open_browser, visit, java_script):
    """Nora's desktop, signed in."""
    page = open_browser(viewport={"width": 1280, "height": 900}, java_script_enabled=java_script)
    steps.log_in(page)
    return page


def row_of(desk, visit):
    return desk.locator(f"#visit-{visit.pk}")


def press(desk, visit, name):
    row_of(desk, visit).get_by_role("button", name=name).click()


@steps.SCRIPTS
def test_patient_is_here_and_the_day_goes_on(visit, desk, phone, check_axe, java_script):
    patient = phone()
    patient.goto(visit_path(visit, now=AT_THE_DOOR))
    steps.fits(patient)
    steps.press(patient, "I’m here")
    expect(patient.locator("#here")).to_be_visible()
    if java_script:
        check_axe(patient)

    desk.goto("/admin/")
    row = row_of(desk, visit)
    expect(row.locator(".chip-wait")).to_have_text("waiting since 8:56 AM")
    if java_script:
        check_axe(desk)
        desk.evaluate("window.stays = true")
    press(desk, visit, "With me")
    expect(row.locator(".chip-now")).to_have_count(1)
    if java_script:
        assert desk.evaluate("window.stays && document.activeElement.id") == f"visit-{visit.pk}", "swapped in place"
    press(desk, visit, "Done")
    expect(row.locator(".chip-now")).to_have_count(0)
    assert Appointment.objects.get().finished_at
    press(desk, visit, "Undo “done”")
    expect(row.locator(".chip-now")).to_have_count(1)
    press(desk, visit, "Undo “with me”")
    expect(row.locator(".chip-wait")).to_have_count(1)

    patient.reload()
    steps.press(patient, "I’m not here yet")
    desk.reload()
    expect(row.locator(".chip-wait")).to_have_count(0)
    assert Appointment.objects.get().marks.arrived_at is None


@steps.SCRIPTS
def test_late_cancellation_with_a_waived_fee_from_the_card_and_its_undo(visit, desk, check_axe, java_script):
    desk.goto("/admin/")
    row_of(desk, visit).get_by_role("link", name="Visit").click()
    card = row_of(desk, visit)
    for width in (390, 1280):
        desk.set_viewport_size({"width": width, "height": 900})
        if java_script:
            check_axe(desk)
            steps.fits(desk)
    card.locator("summary").click()
    press(desk, visit, "Cancel, and waive")
    expect(card.get_by_text("late fee waived", exact=True)).to_be_visible()
    if java_script:
        check_axe(desk)
    assert Appointment.objects.values_list("status", "late_fee").get() == ("cancelled", "waived")
    press(desk, visit, "Undo the cancellation")
    expect(card.get_by_role("button", name="Arrived")).to_be_visible()
    assert Appointment.objects.values_list("status", "late_fee").get() == ("booked", "")
    card.get_by_role("link", name="Back").click()
    expect(row_of(desk, visit)).to_be_in_viewport()
