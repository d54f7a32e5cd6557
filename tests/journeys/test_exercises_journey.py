"""The pages of exercises in a browser: accessible, narrow, without scripts; nothing moves or loads unasked."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

FOLDER = "/learn/exercises/"
PATHS = ("", "bridge/", "front-plank/", "warm-up/", "stretches/", "strength/")
LOADED = "() => [...document.images].filter(i => i.loading !== 'lazy').every(i => i.complete && i.naturalWidth > 0)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_no_accessibility_faults_and_fit_a_small_phone(open_browser, demo_clinic, check_axe, scheme):
    page = open_browser(viewport={"width": 320, "height": 640}, color_scheme=scheme)
    for path in PATHS:
        page.goto(FOLDER + path)
        page.wait_for_function(LOADED)
        check_axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path


@pytest.mark.parametrize("java_script", [True, False])
def test_picture_moves_only_when_asked_to_by_keyboard_and_without_a_script(open_browser, demo_clinic, java_script):
    page = open_browser(java_script_enabled=java_script)
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "motion.svg" in request.url else None)
    page.goto(f"{FOLDER}bridge/")
    moving = page.locator(".motion img")
    expect(moving).to_be_hidden()
    assert asked == [] or not java_script  # browsers load lazily only with scripts on
    page.get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    expect(moving).to_be_visible()
    if java_script:
        expect(moving).to_have_js_property("complete", True)
        assert moving.evaluate("image => image.naturalWidth") > 0
    assert len(asked) == 1
    page.keyboard.press("Space")
    expect(moving).to_be_hidden()


def test_exercise_prints_its_frames_and_no_control(open_browser, demo_clinic):
    page = open_browser()
    page.goto(f"{FOLDER}bridge/")
    page.emulate_media(media="print")
    expect(page.locator(".frame img").first).to_be_visible()
    expect(page.locator(".motion")).to_be_hidden()


def test_lone_drawing_shows_its_colors_under_its_own_policy(open_browser, demo_clinic):
    page = open_browser(color_scheme="dark")
    page.goto("/learn/drawings/bridge/2.svg")
    fill = page.evaluate("getComputedStyle(document.querySelector('.t')).fill")
    page.emulate_media(color_scheme="light")
    assert fill != page.evaluate("getComputedStyle(document.querySelector('.t')).fill")
    assert fill != "rgb(0, 0, 0)"
