"""Search engines find each service at one URL, and none of the later steps of a booking."""

import pytest
import time_machine
from django.urls import reverse

from tests.world import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _monday_morning(settings):
    settings.SITE_URL = "https://lake.example"
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.parametrize("query", ["", "?when=before-work", "?via=zzzzzz&tz=Europe/Berlin", "?from=2026-12-05"])
def test_days_have_one_address_whatever_was_carried_along(client, evaluation, query):
    page = client.get(reverse("booking:days", args=["evaluation"]) + query).text
    assert page.count('rel="canonical"') == 1
    assert 'rel="canonical" href="https://lake.example/book/evaluation/"' in page
    assert 'property="og:title" content="Book: Evaluation"' in page


def test_visits_page_names_its_address(client, evaluation):
    assert 'rel="canonical" href="https://lake.example/book/"' in client.get("/book/").text


def test_times_are_not_for_search_engines(client, evaluation):
    page = client.get("/book/evaluation/2026-12-01/").text
    assert 'content="noindex"' in page and "canonical" not in page


def test_sitemap_lists_what_can_be_booked(client, evaluation):
    assert "/book/evaluation/</loc>" in client.get("/sitemap.xml").text
    evaluation.delete()
    assert "/book/evaluation/</loc>" not in client.get("/sitemap.xml").text
