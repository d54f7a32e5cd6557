"""A real browser and a real server. Third-party requests and errors on any page fail the test."""

import os
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import sync_playwright

from clinic.demo.clinic import open_demo_clinic
from tests.chromium import chromium_path, launch_flags

# Playwright runs an event loop in this thread, where Django refuses database access by default.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

PHONE = {"width": 390, "height": 844}
DEFAULTS = {"viewport": PHONE, "locale": "en-US", "timezone_id": "America/New_York"}  # New York, as the demo clinic
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def pytest_collection_modifyitems(items):
    for item in items:
        if "/journeys/" in str(item.path):
            item.add_marker(pytest.mark.journey)


@pytest.fixture(scope="session")
def browser():
    path = chromium_path()
    if path is None:
        message = "no Chromium found: install one or set CHROMIUM to run the journeys"
        if os.environ.get("BROWSER_REQUIRED"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=launch_flags())
        yield browser
        browser.close()


class Watch:
    """Records third-party requests and errors of a browser context."""

    def __init__(self, context, host):
        self.foreign, self.errors = [], []
        context.on("request", lambda request: self._note_request(request, host))
        context.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))

    def _note_request(self, request, host):
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https") and parts.netloc != host:
            self.foreign.append(request.url)

    def unexpected_errors(self):
        # The browser logs each 4xx page as an error; the tests check those pages themselves.
        return [text for text in self.errors if "the server responded with a status of 4" not in text]


@pytest.fixture
def open_browser(browser, live_server):
    """Return a function that opens a page with Playwright's context options, watched until the test ends."""
    opened = []

    def open_context(**options):
        context = browser.new_context(base_url=live_server.url, **{**DEFAULTS, **options})
        context.set_default_timeout(10_000)
        opened.append((context, Watch(context, urlsplit(live_server.url).netloc)))
        return context.new_page()

    yield open_context
    for context, watch in opened:
        context.close()
        assert not watch.foreign, f"asked elsewhere: {watch.foreign}"
        assert not watch.unexpected_errors(), f"the browser complained: {watch.unexpected_errors()}"


@pytest.fixture
def page(open_browser):
    """A page in a phone-sized browser."""
    return open_browser()


@pytest.fixture
def phone(open_browser, java_script):
    """Return a function that opens a phone-sized browser without history or cookies, with or without JavaScript."""
    return lambda: open_browser(java_script_enabled=java_script)


@pytest.fixture
def demo_clinic(transactional_db):
    """The demo clinic, without visits."""
    open_demo_clinic(now=timezone.now())


@pytest.fixture
def check_axe():
    """Return a function that fails with the rule, element and reason of each violation. The page needs JavaScript."""

    def check(page):
        report = Axe().run(page, options={"runOnly": WCAG, "resultTypes": ["violations"], "preload": False})
        faults = [
            f"{violation['id']}: {node['html'][:160]} – {node['failureSummary']}"
            for violation in report.response["violations"]
            for node in violation["nodes"]
        ]
        assert not faults, f"{page.url}\n" + "\n".join(faults)

    return check
