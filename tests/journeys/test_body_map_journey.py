"""The body map on a small screen: its numbers are readable, and the keyboard checks what the drawing shows."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from assessments.intake.responses import start_published_response
from clinic.practice.access.links import issue_link
from clinic.practice.models import LinkPurpose, Proof
from clinic.practice.people.patients import find_or_register_patient
from tests.assessments.answering import QUIET, fill_page, page_url
from tests.journeys import steps

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

NUMBERS = """all => all.map(one => {
  const {left, right, top, bottom} = one.getBoundingClientRect();
  return {left, right, top, bottom, size: parseFloat(getComputedStyle(one).fontSize) * one.getScreenCTM().a};
})"""
FILL = "region => getComputedStyle(region).fill"


@pytest.fixture
def where(client, demo_clinic):
    """Return the path of the intake's page with the drawing."""
    now = timezone.now()
    alice = find_or_register_patient(name="Alice Runner", email="alice@runners.example", phone="", now=now)
    response = start_published_response(questionnaire_slug="hip-running-intake", patient=alice, now=now)
    until = now + timedelta(days=1)
    token = issue_link(
        patient=alice, purpose=LinkPurpose.INTAKE, proof=Proof.MAILED, subject_id=response.pk, expires_at=until, now=now
    )
    for page in ("safety", "signs"):
        fill_page(client, token, page, QUIET)
    return page_url(token, "where")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_drawing_is_labeled_and_the_keyboard_reaches_it(open_browser, check_axe, where, scheme):
    page = open_browser(viewport={"width": 320, "height": 640}, color_scheme=scheme)
    page.goto(where)
    steps.fits(page)
    numbers = page.locator(".body-map svg .region text").evaluate_all(NUMBERS)
    assert len(numbers) == 24 and min(one["size"] for one in numbers) >= 12
    for at, one in enumerate(numbers):
        for other in numbers[at + 1 :]:
            apart = one["right"] <= other["left"] or other["right"] <= one["left"]
            assert apart or one["bottom"] <= other["top"] or other["bottom"] <= one["top"]

    groin, shin = page.locator(".at-groin").first, page.locator(".at-shin").first
    box = page.get_by_role("checkbox", name="Groin (the crease)", exact=True)  # the number is not read aloud
    empty, plain = groin.evaluate(FILL), groin.evaluate("region => getComputedStyle(region).strokeWidth")
    page.get_by_role("checkbox", name="Front of the hip", exact=True).focus()
    page.keyboard.press("Tab")
    assert groin.evaluate("region => getComputedStyle(region).strokeWidth") != plain
    page.keyboard.press("Space")
    expect(box).to_be_checked()
    assert groin.evaluate(FILL) != empty == shin.evaluate(FILL)
    page.keyboard.press("Space")
    expect(box).not_to_be_checked()
    groin.locator("label").click()
    expect(box).to_be_checked()
    check_axe(page)
