"""Cached public pages: no query for a cached page, stale for a second at most, and never another reader's content."""

import re
import time

import brotli
import pytest
from django.apps import apps
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

import education.urls
from booking.models import Service
from clinic.practice.models import Clinic, Therapist, User
from clinic.practice.people import contact_card
from clinic.responses.public_models import public_models
from clinic.web import public_pages
from education.models import Article, Topic
from tests.clinic.web.process import Process, cached_pages
from tests.database_away import database_away
from tests.factories import ArticleFactory, CallFactory, ClinicFactory, TherapistFactory


@pytest.fixture
def hip(transactional_db):
    """A published article by Nora, who offers calls, in committed rows: the version reads no others."""
    ClinicFactory()
    nora = TherapistFactory(name="Nora", slug="nora")
    CallFactory(therapists=[nora])
    return ArticleFactory(body="First text.", author=nora)


@pytest.fixture
def process(settings):
    settings.ALLOWED_HOSTS = ["localhost"]
    caches[public_pages.CACHE].clear()
    return Process()


def test_cached_page_costs_no_query(hip, process, monkeypatch):
    monkeypatch.setattr(public_pages, "VERSION_MAX_AGE_S", 60)
    first = process.read()
    with CaptureQueriesContext(connection) as queries:
        second = process.read()
    assert len(queries) == 0
    assert "First text." in first["text"]
    assert second == first


def test_cached_article_is_served_when_the_database_is_down(hip, process, monkeypatch):
    first = process.read()
    monkeypatch.setattr(public_pages, "VERSION_MAX_AGE_S", 0)
    with database_away():
        assert process.read() == first
        assert process.read("/learn/")["status"] == 503
    Article.objects.update(title="Sorer hip")
    assert "Sorer hip" in process.read()["text"]


@pytest.mark.parametrize(
    "asked",
    [
        {"HTTP_COOKIE": "csrf=x"},
        {"QUERY_STRING": "utm_source=club"},
        {"HTTP_ACCEPT_ENCODING": "gzip, deflate, br"},
    ],
)
def test_cached_article_is_served_to_every_browser_when_the_database_is_down(hip, process, monkeypatch, asked):
    process.read()
    monkeypatch.setattr(public_pages, "VERSION_MAX_AGE_S", 0)
    with database_away():
        answer = process.read(**asked)
    assert (answer["status"], "First text." in answer["text"]) == (200, True)


def test_page_without_the_database_shows_the_latest_phone_number(hip, process, monkeypatch, tmp_path, settings):
    settings.STATE_DIRECTORY = str(tmp_path)
    monkeypatch.setattr(public_pages, "VERSION_MAX_AGE_S", 0)
    monkeypatch.setattr(contact_card, "_current", None)
    process.read()
    Clinic.objects.update(phone="+16035550199")
    process.read()
    for in_memory in (contact_card.last_contact(), None):
        monkeypatch.setattr(contact_card, "_current", in_memory)
        with database_away():
            answer = process.read("/book/")
        assert answer["status"] == 503
        assert "Lakes Running Clinic" in answer["text"] and "(603) 555-0199" in answer["text"]
    assert [path.name for path in tmp_path.iterdir()] == [contact_card.FILE_NAME]


def test_page_without_the_database_has_no_phone_when_its_file_is_damaged(hip, process, monkeypatch, tmp_path, settings):
    settings.STATE_DIRECTORY = str(tmp_path)
    monkeypatch.setattr(contact_card, "_current", None)
    for text in ("", "[]", '{"name": "x", "fax": "y"}'):
        (tmp_path / contact_card.FILE_NAME).write_text(text)
        with database_away():
            assert "911" in process.read("/book/")["text"]


def test_uncached_article_costs_at_most_six_queries(hip, process):
    with CaptureQueriesContext(connection) as queries:
        assert process.read()["status"] == 200
    assert len(queries) <= 6, [query["sql"][:90] for query in queries]


CHANGES = {
    Article: [
        lambda: Article.objects.update(body="Other text."),
        lambda: Article.objects.update(status="draft"),
        lambda: Article.objects.all().delete(),
    ],
    Topic: [lambda: Topic.objects.update(name="Hip and groin")],
    Clinic: [lambda: Clinic.objects.update(phone="+16035550100")],
    Therapist: [
        lambda: Therapist.objects.update(name="Nora Lake"),
        lambda: Therapist.objects.update(is_active=False),
    ],
    Service: [lambda: Service.objects.update(name="Another call")],
    Service.therapists.through: [lambda: Service.objects.get().therapists.clear()],
}


def test_each_registered_model_has_changes_to_test():
    assert {public.model for public in public_models()} == set(CHANGES)


@pytest.mark.parametrize("change", [change for changes in CHANGES.values() for change in changes])
def test_change_of_a_registered_model_shows_within_a_second_in_every_process(hip, process, change):
    other = Process()
    cached = process.read()
    assert other.read()["text"] == cached["text"]
    change()
    changed_at = time.monotonic()
    while process.read()["text"] == cached["text"] or other.read()["text"] == cached["text"]:
        assert time.monotonic() - changed_at < 1
        time.sleep(0.05)


ARGUMENTS = {
    "topic": ["hip-and-groin"],
    "article": ["sore-hip"],
    "share_image": ["sore-hip"],
    "exercise": ["bridge"],
    "drawing": ["bridge", 1],
    "motion": ["bridge"],
}
PUBLIC_PATHS = [
    reverse("sitemap"),
    *(reverse(f"education:{page.name}", args=ARGUMENTS.get(page.name, [])) for page in education.urls.urlpatterns),
]


def test_every_table_that_public_pages_read_is_registered(hip, client):
    """The test client sends a cookie header, so pages are rendered, and the version is not read."""
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    read = set()
    for path in PUBLIC_PATHS:
        with CaptureQueriesContext(connection) as queries:
            response = client.get(path)
        assert response.status_code == 200, path
        if public_pages.is_cacheable(response):
            read |= {name for query in queries for name in re.findall(r'"(\w+)"', query["sql"])} & tables
    assert read == {public.model._meta.db_table for public in public_models()}


def test_scheduled_article_appears_without_a_write(hip, process):
    soon = timezone.now() + timezone.timedelta(seconds=0.7)
    Article.objects.update(published_at=soon)
    assert process.read()["status"] == 404
    index = process.read("/learn/")["text"]
    assert "Sore hip" not in index
    time.sleep(1.3)
    assert process.read()["status"] == 200
    assert "Sore hip" in process.read("/learn/")["text"]


def test_unchanged_page_answers_304(hip, process):
    first = process.read(HTTP_ACCEPT_ENCODING="gzip")
    assert first["headers"]["Content-Encoding"] == "gzip"
    again = process.read(HTTP_ACCEPT_ENCODING="gzip", HTTP_IF_NONE_MATCH=first["headers"]["ETag"])
    assert (again["status"], again["text"]) == (304, "")


def test_cached_page_has_every_header_of_the_first_response(hip, process):
    first, second = process.read(), process.read()
    assert second["headers"] == first["headers"]
    assert "Content-Security-Policy" in second["headers"]


def test_reader_without_gzip_gets_plain_text(hip, process):
    process.read(HTTP_ACCEPT_ENCODING="gzip")
    assert "Content-Encoding" not in process.read()["headers"]


def test_staff_preview_is_not_cached(hip, process, client):
    Article.objects.update(status="draft")
    client.force_login(User.objects.create_superuser("erin@clinic.example", name="Erin"))
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    assert "This is a preview." in process.read(HTTP_COOKIE=cookie)["text"]
    assert process.read()["status"] == 404


def test_unknown_host_is_refused_when_the_page_is_cached(hip, process):
    process.read()
    assert process.read(HTTP_HOST="evil.example")["status"] == 400


@pytest.mark.parametrize("path", ["/learn/search/", "/learn/load-check/", "/book/", "/health/"])
def test_pages_that_depend_on_the_reader_are_not_cached(hip, process, path):
    assert process.read(path)["status"] == 200
    assert cached_pages() == []
    process.read()
    assert len(cached_pages()) == 1


def test_browser_that_accepts_brotli_gets_the_same_text_in_brotli(hip, process):
    plain = process.read()
    for _ in range(2):
        answer = process.read(HTTP_ACCEPT_ENCODING="gzip, deflate, br", as_bytes=True)
        assert answer["headers"]["Content-Encoding"] == "br"
        assert answer["headers"]["Vary"] == "Accept-Encoding"
        assert brotli.decompress(answer["text"]).decode() == plain["text"]
    tag = answer["headers"]["ETag"]
    assert process.read(HTTP_ACCEPT_ENCODING="br", HTTP_IF_NONE_MATCH=tag)["status"] == 304


def test_head_request_of_a_cached_page_has_the_headers_and_no_body(hip, process):
    page = process.read(HTTP_ACCEPT_ENCODING="br", as_bytes=True)
    head = process.read(REQUEST_METHOD="HEAD", HTTP_ACCEPT_ENCODING="br", as_bytes=True)
    assert head["text"] == b""
    assert head["headers"] == page["headers"] and int(head["headers"]["Content-Length"]) == len(page["text"])
    tag = page["headers"]["ETag"]
    assert process.read(REQUEST_METHOD="HEAD", HTTP_ACCEPT_ENCODING="br", HTTP_IF_NONE_MATCH=tag)["status"] == 304


def test_page_is_cached_once_for_all_ports_of_a_host(hip, process):
    for port in range(1, 4):
        process.read(HTTP_HOST=f"localhost:{port}")
    assert len(cached_pages()) == 1


@pytest.mark.parametrize("encodings", ["", "gzip", "bro", "identity"])
def test_browser_that_does_not_accept_brotli_is_not_sent_it(hip, process, encodings):
    assert process.read(HTTP_ACCEPT_ENCODING=encodings)["headers"].get("Content-Encoding") in (None, "gzip")
