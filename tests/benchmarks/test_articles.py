"""Benchmark of an article page beside an empty view of the same site, and its number of queries."""

import statistics
import time

import pytest
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext
from django.urls import path
from django.utils import timezone

from clinic.urls import urlpatterns as site
from clinic.web.public_version import read_public_version
from education.articles.library import load_articles
from education.models import Article
from tests.clinic.web.process import Process
from tests.factories import ClinicFactory

pytestmark = pytest.mark.bench
ARTICLE = "/learn/hip-flexor-pain-running/"
ROUNDS, REQUESTS = 5, 300

urlpatterns = [path("empty/", lambda request: HttpResponse("")), *site]


def rate(process, path, **environ):
    """Return requests per second, the median of ROUNDS rounds."""
    rates = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(REQUESTS):
            process.read(path, **environ)
        rates.append(REQUESTS / (time.perf_counter() - started))
    return statistics.median(rates)


def count_queries(process):
    with CaptureQueriesContext(connection) as queries:
        assert process.read(ARTICLE)["status"] == 200
    return len(queries)


@pytest.fixture
def library(transactional_db, settings):
    settings.ROOT_URLCONF, settings.ALLOWED_HOSTS = __name__, ["localhost"]
    ClinicFactory()
    load_articles(now=timezone.now())
    cache.clear()


def grow_library(size):
    model = Article.objects.get(slug="can-i-keep-running")
    text = {**model.text, "topic": model.topic, "status": "published", "published_at": model.published_at}
    stamps = {"created_at": model.created_at, "updated_at": model.updated_at, "prose": model.prose}
    rows = [Article(slug=f"more-{n}", position=9, **text, **stamps) for n in range(size - Article.objects.count())]
    Article.objects.bulk_create(rows, batch_size=500)


def test_article_beside_an_empty_view(library):
    process = Process()
    tag = process.read(ARTICLE)["headers"]["ETag"]
    empty = rate(process, "/empty/")
    warm, unchanged = rate(process, ARTICLE), rate(process, ARTICLE, HTTP_IF_NONE_MATCH=tag)
    print(f"\n{'empty view':24}{empty:8.0f}/s\n{'article, warm':24}{warm:8.0f}/s  {warm / empty:.2f} ×")
    print(f"{'article, 304':24}{unchanged:8.0f}/s  {unchanged / empty:.2f} ×")
    assert warm >= 0.5 * empty
    assert unchanged >= 0.9 * empty


@pytest.mark.parametrize("size", [30, 3000])
def test_queries_of_an_article_do_not_grow_with_the_library(library, size):
    grow_library(size)
    process = Process()
    started = time.perf_counter()
    cold = count_queries(process)
    cold_ms = (time.perf_counter() - started) * 1000
    warm = count_queries(process)
    started = time.perf_counter()
    read_public_version()
    version_ms = (time.perf_counter() - started) * 1000
    print(f"\n{size:5} articles: cold {cold} queries, {cold_ms:.0f} ms; warm {warm}; the version {version_ms:.1f} ms")
    assert cold <= 6
    assert warm == 0
