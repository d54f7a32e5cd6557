"""Staff in WebKit: Today, the calendar, and moving a visit by form, by keyboard and by mouse."""

from datetime import timedelta

import pytest
from selenium.webdriver import ActionChains, Keys

from booking.models import Appointment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]
CALENDAR = "/admin/booking/appointment/calendar/"
DAY, WEEK = f"{CALENDAR}?view=day&day=2026-12-01", f"{CALENDAR}?view=week&day=2026-12-01"


def starts_at(visit):
    return Appointment.objects.get(pk=visit.pk).starts_at


@pytest.fixture
def desk(day, desktop):
    """Nora's desktop, signed in."""
    desktop.log_in()
    return desktop


def minute_of(desk) -> float:
    """Return the height of a minute in pixels."""
    first, last, *_ = desk.one("#cal-move").get_attribute("data-axis").split()
    return desk.one(".cal-day .cal-track").rect["height"] / (int(last) - int(first))


def press(desk, *keys):
    ActionChains(desk).send_keys(*keys).perform()


def drag(desk, visit, *, down):
    """Drag a visit down by pixels with the mouse and drop it."""
    block = desk.one(f"#visit-{visit.pk}")
    desk.execute_script("arguments[0].scrollIntoView({block: 'center'})", block)
    box = block.rect
    mouse = ActionChains(desk, duration=50).move_to_element_with_offset(
        block, 20 - box["width"] // 2, 8 - box["height"] // 2
    )
    mouse.click_and_hold().move_by_offset(0, round(down / 2)).move_by_offset(0, round(down) - round(down / 2))
    with desk.next_page():
        mouse.release().perform()


@pytest.mark.parametrize("width", [1280, 390])
def test_today_and_every_view_of_the_calendar_open_and_fit(day, open_webkit, width):
    desk = open_webkit(width=width)
    desk.log_in()
    visit = day["Sam Whitcomb"]
    assert visit.patient.name in desk.one(f"#visit-{visit.pk}").text
    for view, found in (("week", f"#visit-{visit.pk}"), ("day", f"#visit-{visit.pk}"), ("month", "table, .cal-month")):
        desk.open(f"{CALENDAR}?view={view}&day=2026-12-01")
        assert desk.one(found).is_displayed()
        assert desk.execute_script("return document.documentElement.scrollWidth") <= width
    desk.open(DAY)
    assert desk.one("#cal-help").is_displayed(), "the script has run to its end"
    desk.follow(desk.named("Later"))
    assert "Wednesday, December 2" in desk.one("h1").text


def test_visit_is_moved_with_the_keyboard_alone_and_back_by_undo(day, desk):
    visit = day["Sam Whitcomb"]  # 3 PM
    desk.open(DAY)
    desk.execute_script("arguments[0].focus()", desk.one(f"#visit-{visit.pk}"))
    press(desk, "m")
    assert "3:00 PM" in desk.one("#cal-status").text
    press(desk, Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    assert "4:00 PM" in desk.one("#cal-status").text
    press(desk, Keys.ESCAPE)
    assert desk.count(".cal-ghost") == 0
    press(desk, "m", Keys.ARROW_DOWN)
    with desk.next_page():
        press(desk, Keys.ENTER)
    assert desk.current_url.endswith(f"#visit-{visit.pk}")
    assert desk.switch_to.active_element.get_attribute("id") == f"visit-{visit.pk}"
    assert starts_at(visit) == visit.starts_at + timedelta(minutes=30)
    desk.follow(desk.named("Undo the move"))
    assert starts_at(visit) == visit.starts_at


def test_keyboard_moves_between_the_days_of_a_week(day, desk):
    visit = day["Sam Whitcomb"]
    desk.open(WEEK)
    desk.execute_script("arguments[0].focus()", desk.one(f"#visit-{visit.pk}"))
    press(desk, "m", Keys.ARROW_RIGHT)
    assert "Wed, Dec 2" in desk.one("#cal-status").text
    with desk.next_page():
        press(desk, Keys.ENTER)
    assert starts_at(visit) == visit.starts_at + timedelta(days=1)


def test_visit_is_dragged_to_a_later_time(day, desk):
    visit = day["Sam Whitcomb"]
    desk.open(DAY)
    drag(desk, visit, down=30 * minute_of(desk))
    assert "3:30 PM" in desk.one(f"#visit-{visit.pk}").text
    assert starts_at(visit) == visit.starts_at + timedelta(minutes=30)


def test_refused_drop_says_why_and_moves_nothing(day, desk):
    visit, other = day["Sam Whitcomb"], day["Tom Reyes"]
    desk.open(DAY)
    up = desk.one(f"#visit-{visit.pk}").rect["y"] - desk.one(f"#visit-{other.pk}").rect["y"]
    drag(desk, visit, down=-up)
    assert desk.one(".errorlist").text
    assert desk.one("#id_starts_at").get_property("value") == "2026-12-01T10:00"
    desk.follow(desk.named("Go back without moving"))
    assert "3:00 PM" in desk.one(f"#visit-{visit.pk}").text
    assert starts_at(visit) == visit.starts_at


def test_visit_is_moved_by_the_form_of_its_card(day, desk):
    visit = day["Sam Whitcomb"]
    desk.open(DAY)
    desk.follow(desk.one(f"#visit-{visit.pk}"))
    desk.follow(desk.named("Move"))
    desk.pick_date("#id_starts_at", "2026-12-01T16:00")
    desk.follow(desk.named("Move this visit"))
    assert starts_at(visit) == visit.starts_at + timedelta(hours=1)
