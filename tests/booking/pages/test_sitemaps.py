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
def test_days_have_one_canonical_url_whatever_the_query(client, evaluation, query):
    page = client.get(reverse("booking:days", args=["evaluation"]) + query).text
    assert page.count('rel="canonical"') == 1
    assert 'rel="canonical" href="https://lake.example/book/evaluation/"' in page
    assert 'property="og:title" content="Book: Evaluation"' in page


def test_page_of_services_has_a_canonical_url(client, evaluation):
    assert 'rel="canonical" href="https://lake.example/book/"' in client.get("/book/").text


def test_times_are_not_indexed(client, evaluation):
    page = client.get("/book/evaluation/2026-12-01/").text
    assert 'content="noindex"' in page and "canonical" not in page


def test_sitemap_lists_bookable_services(client, evaluation):
    assert "/book/evaluation/</loc>" in client.get("/sitemap.xml").text
    evaluation.delete()
    assert "/book/evaluation/</loc>" not in client.get("/sitemap.xml").text
