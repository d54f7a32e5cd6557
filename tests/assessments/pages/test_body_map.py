"""The body map: its numbers match those of the list beside it, in the intake and on the articles' page."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from education.body.body_map import SPOTS
from tests.assessments.answering import QUIET, fill_page, page_url

pytestmark = pytest.mark.django_db

DRAWN = re.compile(
    r'<g class="region at-([\w-]+)">.*?<text[^>]*>(\d+)</text>.*?<label class="spot" for="([\w.:-]+)"', re.DOTALL
)
LISTED = re.compile(
    r'<label class="choice[^>]*><input [^>]*value="([\w-]+)"[^>]*id="([\w.:-]+)"[^>]*> '
    r'(?:<span class="place-number" aria-hidden="true">(\d+)</span> )?<span>'
)


@pytest.fixture(params=["intake", "articles"])
def page(request, client, token):
    """Return the part of the page that holds the drawing and its list."""
    if request.param == "articles":
        shown = client.get(reverse("education:body_sites"))
    else:
        for name in ("safety", "signs"):
            fill_page(client, token, name, QUIET)
        shown = client.get(page_url(token, "where"))
    assert shown.status_code == 200
    return shown.text.partition('<div class="body-map">')[2].partition("</fieldset>")[0]


def test_each_region_has_the_number_of_its_row_and_checks_its_box_when_tapped(page):
    listed = {code: (number, box) for code, box, number in LISTED.findall(page)}
    drawn = DRAWN.findall(page)
    assert len(drawn) == sum(len(SPOTS[code]) for code in listed if code in SPOTS) > 12
    for code, number, box in drawn:
        assert listed[code] == (number, box), code
    numbers = [int(number) for number, _ in listed.values() if number]
    assert numbers == list(range(1, len(numbers) + 1))


def test_row_has_no_number_when_it_is_not_on_the_drawing(page):
    assert all(bool(number) == (code in SPOTS) for code, _, number in LISTED.findall(page))


def test_drawing_is_hidden_from_screen_readers(page):
    drawing = page.partition("</svg>")[0]
    assert re.search(r'<svg [^>]*aria-hidden="true"', drawing)
    assert not re.search(r"<(input|button|a)\b|tabindex", drawing)  # hidden elements must not be focusable


@pytest.mark.parametrize("state", [":checked", ":focus-visible"])
def test_style_sheet_highlights_every_region_when_its_row_is_checked_or_focused(state):
    css = (Path(settings.BASE_DIR) / "static/css/clinic.css").read_text()
    shown = re.findall(rf'\.body-map:has\(\[value="([\w-]+)"\]{state}\) \.at-([\w-]+)', css)
    assert sorted(shown) == sorted((code, code) for code in SPOTS)
