"""The calendar in a browser: reading it, and moving a visit by keyboard, by mouse and by finger."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from playwright.sync_api import expect

from booking.models import Appointment, Service
from clinic.demo.clinic import open_demo_clinic
from clinic.demo.visits import book_demo_visits
from tests.journeys import steps

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]
EIGHT_ON_TUESDAY = datetime(2026, 12, 1, 13, tzinfo=UTC)
CALENDAR = "/admin/booking/appointment/calendar/"
DAY, WEEK = f"{CALENDAR}?view=day&day=2026-12-01", f"{CALENDAR}?view=week&day=2026-12-01"
DESKTOP = {"width": 1280, "height": 900}
LETTER = {"day": (725, 965), "week": (988, 748), "month": (725, 965)}  # CSS pixels between the margins


@pytest.fixture
def day():
    """The demo's visits, at 8 AM on a day of five."""
    with time_machine.travel(EIGHT_ON_TUESDAY):
        open_demo_clinic(now=EIGHT_ON_TUESDAY)
        book_demo_visits(now=EIGHT_ON_TUESDAY)
        Service.objects.update(minimum_notice_minutes=0)  # staff would have to confirm a move on the day itself
        yield


@pytest.fixture
def desk(day, open_browser):
    page = open_browser(viewport=DESKTOP)
    steps.log_in(page)
    return page


def visit_of(name) -> Appointment:
    return Appointment.objects.get(patient__name=name, status="booked", starts_at__date="2026-12-01")


def block_of(page, visit):
    return page.locator(f"#visit-{visit.pk}")


def drag(page, block, *, right=0, down=0):
    """Drag a block by pixels with the mouse and drop it."""
    block.evaluate("block => block.scrollIntoView({block: 'center'})")
    box = block.bounding_box()
    x, y = box["x"] + 20, box["y"] + 8
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right / 2, y + down / 2, steps=3)
    page.mouse.move(x + right, y + down, steps=3)
    with page.expect_navigation():
        page.mouse.up()


def test_visit_is_moved_with_the_keyboard_alone(desk, check_axe):
    visit = visit_of("Sam Whitcomb")  # 3 PM
    desk.goto(DAY)
    check_axe(desk)
    block = block_of(desk, visit)
    block.focus()
    desk.keyboard.press("m")
    status = desk.get_by_role("status")
    expect(status).to_contain_text("3:00 PM")
    desk.keyboard.press("ArrowDown")
    desk.keyboard.press("ArrowDown")
    expect(status).to_contain_text("3:30 PM")
    desk.keyboard.press("Escape")
    expect(desk.locator(".cal-ghost")).to_have_count(0)
    desk.keyboard.press("m")
    desk.keyboard.press("ArrowDown")
    check_axe(desk)
    with desk.expect_navigation():
        desk.keyboard.press("Enter")
    expect(desk).to_have_url(re.compile(f"#visit-{visit.pk}$"))
    expect(block).to_be_focused()
    expect(block).to_contain_text("3:15 PM")
    assert visit_of("Sam Whitcomb").starts_at == visit.starts_at + timedelta(minutes=15)


def test_keyboard_moves_between_the_days_of_a_week(desk, check_axe):
    visit = visit_of("Sam Whitcomb")
    desk.goto(WEEK)
    check_axe(desk)
    block_of(desk, visit).focus()
    for key in ("m", "ArrowRight", "ArrowRight", "ArrowLeft"):
        desk.keyboard.press(key)
    expect(desk.get_by_role("status")).to_contain_text("Wed, Dec 2")
    with desk.expect_navigation():
        desk.keyboard.press("Enter")
    assert Appointment.objects.get(pk=visit.pk).starts_at == visit.starts_at + timedelta(days=1)


def test_visit_is_dragged_to_a_later_time(desk):
    visit = visit_of("Sam Whitcomb")
    desk.goto(DAY)
    track = desk.locator(".cal-day .cal-track").bounding_box()
    drag(desk, block_of(desk, visit), down=30 * minute_of(desk, track))
    expect(block_of(desk, visit)).to_contain_text("3:30 PM")
    assert Appointment.objects.get(pk=visit.pk).starts_at == visit.starts_at + timedelta(minutes=30)


def minute_of(page, track) -> float:
    """Return the height of a minute in pixels."""
    first, last, *_ = page.locator("#cal-move").get_attribute("data-axis").split()
    return track["height"] / (int(last) - int(first))


def test_refused_drop_says_why_and_moves_nothing(desk, check_axe):
    visit, other = visit_of("Sam Whitcomb"), visit_of("Tom Reyes")
    desk.goto(DAY)
    distance = block_of(desk, other).bounding_box()["y"] - block_of(desk, visit).bounding_box()["y"]
    drag(desk, block_of(desk, visit), down=distance)
    expect(desk.locator(".errorlist").first).to_be_visible()
    expect(desk.locator("#id_starts_at")).to_have_value("2026-12-01T10:00")
    check_axe(desk)
    desk.get_by_role("link", name="Go back without moving").click()
    expect(block_of(desk, visit)).to_contain_text("3:00 PM")
    assert Appointment.objects.get(pk=visit.pk).starts_at == visit.starts_at


def test_click_without_a_drag_opens_the_visit(desk):
    visit = visit_of("Sam Whitcomb")
    desk.goto(DAY)
    block_of(desk, visit).click()
    expect(desk).to_have_url(re.compile(f"/{visit.pk}/"))


def test_finger_moves_a_visit_by_its_grip_and_a_week_is_a_list(day, open_browser, check_axe):
    page = open_browser(has_touch=True)
    steps.log_in(page)
    visit = visit_of("Sam Whitcomb")
    page.goto(WEEK)
    check_axe(page)
    steps.fits(page)
    page.goto(DAY)
    check_axe(page)
    steps.fits(page)
    block = block_of(page, visit)
    block.scroll_into_view_if_needed()
    box, track = block.locator(".cal-grip").bounding_box(), page.locator(".cal-day .cal-track").bounding_box()
    x, y, down = box["x"] + 10, box["y"] + 10, 15 * minute_of(page, track)
    touch = page.context.new_cdp_session(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for part in (0.5, 1):
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y + part * down}]})
    with page.expect_navigation():
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert Appointment.objects.get(pk=visit.pk).starts_at == visit.starts_at + timedelta(minutes=15)
    page.get_by_role("link", name="Later").click()
    expect(steps.heading(page)).to_contain_text("Wednesday, December 2")


def test_without_javascript_a_block_leads_to_its_page_and_the_date_form_works(day, open_browser):
    page = open_browser(java_script_enabled=False)
    steps.log_in(page)
    page.goto(DAY)
    page.get_by_label("Date").fill("2026-12-02")
    page.get_by_role("button", name="Go").click()
    expect(steps.heading(page)).to_contain_text("Wednesday, December 2")
    page.goto(DAY)
    page.locator(f"#visit-{visit_of('Sam Whitcomb').pk}").click()
    page.get_by_role("link", name="Move", exact=True).click()
    expect(page.locator("#id_starts_at")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_readable_in_both_schemes_and_print_on_one_page(day, open_browser, check_axe, scheme):
    page = open_browser(viewport=DESKTOP, color_scheme=scheme)
    steps.log_in(page)
    for view, (width, height) in LETTER.items():
        page.set_viewport_size(DESKTOP)
        page.goto(f"{CALENDAR}?view={view}&day=2026-12-01")
        check_axe(page)
        page.set_viewport_size({"width": width, "height": height})
        pdf = page.pdf(prefer_css_page_size=True)
        assert (view, len(re.findall(rb"/Type\s*/Page\b", pdf))) == (view, 1)
        assert (view, b"[0 0 792 612]" in pdf) == (view, view == "week")
