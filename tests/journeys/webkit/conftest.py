"""WebKit's browser on the demo site. Its driver has no log of the console, so errors of scripts are not seen as such."""

import os
from datetime import timedelta

import pytest
import time_machine

from booking.models import Service
from clinic.demo.clinic import open_demo_clinic
from tests.journeys.webkit import browser
from tests.world import HOUR, NINE_ON_TUESDAY, book

HEIGHT = 1100  # of the window; on a phone too, so that the driver sees all of a drag


@pytest.fixture(scope="session")
def display():
    if missing := browser.missing_packages():
        message = f"no WebKit driver found: apt install {' '.join(missing)} to run these journeys"
        if os.environ.get("WEBKIT_REQUIRED"):
            pytest.fail(message)
        pytest.skip(message)
    with browser.screen() as display:
        yield display


@pytest.fixture
def open_webkit(display, live_server, tmp_path):
    """Return a function that opens a browser of a width in pixels, which fails the test if it asks another host."""
    trap, opened = browser.NoWayOut(), []
    env = browser.environment(display, tmp_path)

    def open_window(*, width):
        window = browser.open_browser(live_server.url, env, proxy=trap.address)
        opened.append(window)
        window.set_window_rect(0, 0, width, HEIGHT)
        assert window.execute_script("return innerWidth") == width
        return window

    yield open_window
    for window in opened:
        window.close_all()
    asked = trap.close()
    assert not asked, f"asked elsewhere: {asked}"


@pytest.fixture
def desktop(open_webkit):
    return open_webkit(width=1280)


@pytest.fixture
def handheld(open_webkit):
    return open_webkit(width=390)


@pytest.fixture
def day(transactional_db, settings):
    """The demo clinic at 8 AM on a Tuesday, where Tom has a visit at 10 and Sam at 3 PM. Returns them by name."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # for speed
    eight, booked_at = NINE_ON_TUESDAY - HOUR, NINE_ON_TUESDAY - timedelta(days=6)
    with time_machine.travel(eight):
        open_demo_clinic(now=booked_at)
        Service.objects.update(minimum_notice_minutes=0)  # staff would have to confirm a move on the day itself
        service = Service.objects.get(slug="evaluation")
        visits = (("Tom Reyes", NINE_ON_TUESDAY + HOUR), ("Sam Whitcomb", NINE_ON_TUESDAY + 6 * HOUR))
        yield {name: book(service, name=name, starts_at=starts_at, now=booked_at) for name, starts_at in visits}
