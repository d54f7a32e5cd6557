"""Kept pages: no query for a reader, never anything stale for longer than a second, never anything of somebody else's."""

import time

import brotli
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from booking.models import Service
from clinic.practice.models import Clinic, Therapist, User
from clinic.practice.people import contact_card
from clinic.web import public_pages
from education.models import Article, Topic
from tests.clinic.web.process import Process
from tests.database_away import database_away
from tests.factories import ArticleFactory, CallFactory, ClinicFactory, TherapistFactory


@pytest.fixture
def hip(transactional_db):
    """An article that is out. The tables are really written: a kept page looks at committed rows."""
    ClinicFactory()
    CallFactory(therapists=[TherapistFactory(name="Nora", slug="nora")])
    return ArticleFactory(body="First words.")


@pytest.fixture
def process(settings):
    settings.ALLOWED_HOSTS = ["localhost"]
    return Process()


def test_second_reader_costs_no_query(hip, process, monkeypatch):
    monkeypatch.setattr(public_pages, "LOOK_EVERY_S", 60)
    first = process.read()
    with CaptureQueriesContext(connection) as queries:
        second = process.read()
    assert len(queries) == 0
    assert "First words." in first["text"]
    assert second == first


def test_kept_article_can_be_read_when_the_database_is_away(hip, process, monkeypatch):
    first = process.read()
    monkeypatch.setattr(public_pages, "LOOK_EVERY_S", 0)
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
def test_kept_article_can_be_read_by_every_browser_when_the_database_is_away(hip, process, monkeypatch, asked):
    process.read()
    monkeypatch.setattr(public_pages, "LOOK_EVERY_S", 0)
    with database_away():
        answer = process.read(**asked)
    assert (answer["status"], "First words." in answer["text"]) == (200, True)


def test_page_without_the_database_gives_the_phone_as_it_was_last_changed(
    hip, process, monkeypatch, tmp_path, settings
):
    settings.STATE_DIRECTORY = str(tmp_path)
    monkeypatch.setattr(public_pages, "LOOK_EVERY_S", 0)
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


def test_damaged_file_of_the_clinic_leaves_the_page_without_a_phone(hip, process, monkeypatch, tmp_path, settings):
    settings.STATE_DIRECTORY = str(tmp_path)
    monkeypatch.setattr(contact_card, "_current", None)
    for text in ("", "[]", '{"name": "x", "fax": "y"}'):
        (tmp_path / contact_card.FILE_NAME).write_text(text)
        with database_away():
            assert "911" in process.read("/book/")["text"]


def test_cold_article_takes_six_queries_at_most(hip, process):
    with CaptureQueriesContext(connection) as queries:
        assert process.read()["status"] == 200
    assert len(queries) <= 6, [query["sql"][:90] for query in queries]


@pytest.mark.parametrize(
    "change",
    [
        lambda: Article.objects.update(body="Other words."),
        lambda: Article.objects.update(status="draft"),
        lambda: Topic.objects.update(name="Hip and groin"),
        lambda: Clinic.objects.update(phone="+16035550100"),
        lambda: Service.objects.update(name="Another call"),
        lambda: Service.objects.get().therapists.clear(),
        lambda: Therapist.objects.update(is_active=False),
        lambda: Article.objects.all().delete(),
    ],
)
def test_change_of_any_kind_shows_within_a_second_in_every_process(hip, process, settings, change):
    other = Process()
    kept = process.read()
    assert other.read()["text"] == kept["text"]
    change()
    changed_at = time.monotonic()
    while process.read()["text"] == kept["text"] or other.read()["text"] == kept["text"]:
        assert time.monotonic() - changed_at < 1
        time.sleep(0.05)


def test_article_comes_out_at_its_time_though_nobody_writes(hip, process):
    soon = timezone.now() + timezone.timedelta(seconds=0.7)
    Article.objects.update(published_at=soon)
    assert process.read()["status"] == 404
    index = process.read("/learn/")["text"]
    assert "Sore hip" not in index
    time.sleep(1.3)
    assert process.read()["status"] == 200
    assert "Sore hip" in process.read("/learn/")["text"]


def test_unchanged_page_is_not_sent_twice(hip, process):
    first = process.read(HTTP_ACCEPT_ENCODING="gzip")
    assert first["headers"]["Content-Encoding"] == "gzip"
    again = process.read(HTTP_ACCEPT_ENCODING="gzip", HTTP_IF_NONE_MATCH=first["headers"]["ETag"])
    assert (again["status"], again["text"]) == (304, "")


def test_kept_page_carries_every_header_of_the_first(hip, process):
    first, second = process.read(), process.read()
    assert second["headers"] == first["headers"]
    assert "Content-Security-Policy" in second["headers"]


def test_reader_without_gzip_gets_plain_text(hip, process):
    process.read(HTTP_ACCEPT_ENCODING="gzip")
    assert "Content-Encoding" not in process.read()["headers"]


def test_staff_preview_is_not_kept_for_readers(hip, process, client):
    Article.objects.update(status="draft")
    client.force_login(User.objects.create_superuser("erin@clinic.example", name="Erin"))
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    assert "This is a preview." in process.read(HTTP_COOKIE=cookie)["text"]
    assert process.read()["status"] == 404


def test_host_that_is_not_ours_is_refused_though_the_page_is_kept(hip, process):
    process.read()
    assert process.read(HTTP_HOST="evil.example")["status"] == 400


@pytest.mark.parametrize("path", ["/learn/search/", "/learn/load-check/", "/book/", "/health/"])
def test_pages_that_depend_on_the_reader_are_not_kept(hip, process, monkeypatch, path):
    kept = []
    monkeypatch.setattr(public_pages.PublicPages, "keep", lambda self, key, page: kept.append(key))
    assert process.read(path)["status"] == 200
    assert kept == []
    process.read()
    assert len(kept) == 1


def test_memory_has_an_end(monkeypatch):
    monkeypatch.setattr(public_pages, "MOST_PAGES", 2)
    pages = public_pages.PublicPages(lambda request: None)
    for number in range(3):
        pages.keep((number,), public_pages.KeptPage("", {}, b""))
    assert list(pages.pages) == [(1,), (2,)]


def test_browser_that_takes_brotli_gets_it_and_the_same_words(hip, process):
    plain = process.read()
    for _ in range(2):
        answer = process.read(HTTP_ACCEPT_ENCODING="gzip, deflate, br", as_bytes=True)
        assert answer["headers"]["Content-Encoding"] == "br"
        assert answer["headers"]["Vary"] == "Accept-Encoding"
        assert brotli.decompress(answer["text"]).decode() == plain["text"]
    tag = answer["headers"]["ETag"]
    assert process.read(HTTP_ACCEPT_ENCODING="br", HTTP_IF_NONE_MATCH=tag)["status"] == 304


@pytest.mark.parametrize("encodings", ["", "gzip", "bro", "identity"])
def test_browser_that_does_not_take_brotli_is_not_sent_it(hip, process, encodings):
    assert process.read(HTTP_ACCEPT_ENCODING=encodings)["headers"].get("Content-Encoding") in (None, "gzip")
