"""Today in a browser: the day begins with who is next, rows change where they are, and a gap is offered by one press."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from playwright.sync_api import expect

from booking.models import Appointment, Service, SlotOffer
from booking.wait_list.entries import Wishes, join_wait_list
from clinic.demo.clinic import open_demo_clinic
from clinic.demo.visits import book_demo_visits
from clinic.practice.models import Patient, Therapist, User
from tests.journeys import steps

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

EIGHT = datetime(2026, 12, 1, 13, tzinfo=UTC)  # Tuesday, 8 AM in New York
WIDTHS = (390, 768, 1280)


@pytest.fixture
def day():
    """The demo at 8 AM. Two patients wait for an earlier time, and one cannot come."""
    with time_machine.travel(EIGHT):
        open_demo_clinic(now=EIGHT)
        book_demo_visits(now=EIGHT)
        follow_up = Service.objects.get(slug="follow-up")
        for name in ("Owen Castellano", "Lena Fournier"):
            patient = Patient.objects.filter(name=name).order_by("created_at")[0]
            wishes = Wishes(EIGHT.date(), EIGHT.date() + timedelta(days=20))
            join_wait_list(patient=patient, service=follow_up, mode=follow_up.modes[0].name, wishes=wishes, now=EIGHT)
        Appointment.objects.filter(patient__name="Sam Whitcomb", starts_at__date="2026-12-01").update(
            not_coming_at=EIGHT, confirmed_at=None
        )
        yield


@pytest.fixture
def open_desk(day, open_browser):
    def open_page(**more):
        page = open_browser(viewport={"width": 1280, "height": 900}, **more)
        steps.log_in(page)
        page.goto("/admin/")
        return page

    return open_page


@steps.SCRIPTS
def test_gap_is_offered_to_those_who_wait_by_one_press_and_taken_back(open_desk, java_script):
    desk = open_desk(java_script_enabled=java_script)
    gap = desk.locator(".row-gap").filter(has_text="waits for").last
    anchor = gap.get_attribute("id")
    row = desk.locator(f"[id='{anchor}']")
    if java_script:
        desk.evaluate("window.stays = true")
    row.get_by_role("button", name="Email").click()
    expect(row if java_script else desk.locator("#content, .messagelist").first).to_contain_text("will be emailed in 3")
    expect(row.get_by_text("offered", exact=True).first).to_be_visible()
    assert SlotOffer.objects.count()
    row.get_by_role("button", name="Undo the offer").click()
    expect(row.get_by_role("button", name="Undo the offer")).to_have_count(0)
    expect(row.get_by_role("button", name="Email")).to_be_visible()
    assert not SlotOffer.objects.exists()
    if java_script:
        assert desk.evaluate("window.stays && document.activeElement.id") == anchor, "swapped in place"


@steps.SCRIPTS
def test_yesterdays_visit_is_marked_where_it_is_and_can_be_undone(open_desk, java_script):
    desk = open_desk(java_script_enabled=java_script)
    row = desk.locator("#unmarked .row-visit").first
    name = row.locator(".who a").first.inner_text()
    if java_script:
        row.scroll_into_view_if_needed()
        before = desk.evaluate("window.stays = true; window.scrollY")
    row.get_by_role("button", name="No-show").click()
    if java_script:
        expect(row.get_by_text("no-show", exact=True)).to_be_visible()
        assert desk.evaluate("window.stays") and desk.evaluate("window.scrollY") == before, "the page did not jump"
        row.get_by_role("button", name="Undo no-show").click()
        expect(row.get_by_role("button", name="Arrived")).to_be_visible()
    else:
        expect(desk.locator(".messagelist .success")).to_contain_text(name)
        expect(desk.locator("#unmarked")).to_have_count(0)


def test_next_patient_is_first_and_one_who_cannot_come_is_to_be_called(open_desk, check_axe):
    desk = open_desk()
    headings = desk.locator(".group > h2").all_inner_texts()
    assert headings[:3] == ["Review first", "Now and next", "Call or answer"], "a flag of the demo is overdue"
    first = desk.locator(".row-visit").first
    expect(first).to_contain_text("Maya Lindqvist")
    expect(first.locator("a[href^='tel:']")).to_have_count(1)
    expect(desk.locator(".group-calls")).to_contain_text("Sam Whitcomb")
    for scheme in ("light", "dark"):
        desk.emulate_media(color_scheme=scheme)
        for width in WIDTHS:
            desk.set_viewport_size({"width": width, "height": 900})
            check_axe(desk)
    steps.fits(desk)


def test_therapist_of_several_sees_only_their_own_day(open_desk, day):
    kim = Therapist.objects.create(name="Kim Adler", slug="kim", position=5)
    kim.services.set(Service.objects.all())
    visit = Appointment.objects.filter(starts_at__gt=EIGHT, patient__name="Tom Reyes").order_by("starts_at")[0]
    Appointment.objects.filter(pk=visit.pk).update(therapist=kim)
    assert User.objects.filter(therapist__isnull=False).exists()
    desk = open_desk()
    expect(desk.locator(f"#visit-{visit.pk}")).to_be_visible()
    desk.get_by_role("link", name="Only mine").click()
    expect(desk.locator(f"#visit-{visit.pk}")).to_have_count(0)
    expect(desk.locator(".row-visit").first).to_contain_text("Maya Lindqvist")
    desk.get_by_role("link", name="Everyone", exact=True).click()
    expect(desk.locator(f"#visit-{visit.pk}")).to_be_visible()
