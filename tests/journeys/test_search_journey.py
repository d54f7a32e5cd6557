"""Search by a reader: results appear while typing, and without JavaScript after sending the form."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("demo_clinic")]


def test_search_shows_results_while_typing_and_loads_nothing_before(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/learn/search/")
    assert not any("htmx" in url for url in asked)
    page.get_by_role("searchbox").press_sequentially("cadense")
    expect(page.locator("#results strong")).to_have_text("cadence")
    expect(page.locator("#results mark").first).to_be_visible()
    assert page.url.endswith("/learn/search/")


def test_search_without_javascript_finds_the_same(open_browser):
    page = open_browser(java_script_enabled=False)
    page.goto("/learn/search/")
    page.get_by_role("searchbox").fill("cadense")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#results strong")).to_have_text("cadence")
