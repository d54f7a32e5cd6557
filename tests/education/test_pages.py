"""Article pages for readers. Drafts are hidden."""

import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from booking.models import Service
from clinic.practice.models import Clinic, Therapist, User
from education.models import Article
from tests.factories import ClinicFactory


@pytest.fixture(autouse=True)
def _clinic(db):
    ClinicFactory()


def test_article_starts_with_when_to_get_help(client, write_article):
    page = client.get(write_article().get_absolute_url()).content.decode()
    places = [
        page.index(text)
        for text in ("<h1>Sore hip", "Get help now", "Key facts", "On this page", "What it is</h2>", "Sources</h2>")
    ]
    assert places == sorted(places)
    assert '<a href="tel:911">911</a>' in page


def test_unreviewed_article_names_neither_reviewer_nor_author(client, write_article):
    page = client.get(write_article().get_absolute_url()).content.decode()
    assert "Reviewed by" not in page and "reviewedBy" not in page
    assert "Written by" not in page and '"author"' not in page


def test_unreviewed_articles_are_hidden_everywhere_when_the_clinic_wants_it(client, write_article, maria):
    Clinic.objects.update(shows_unreviewed_articles=False)
    hidden = write_article(slug="unread", title="Unread words")
    shown = write_article(
        slug="read",
        title="Read words",
        reviewed_by=maria,
        reviewed_on=date(2026, 11, 2),
        next_review_on=date(2027, 11, 2),
    )
    assert client.get(hidden.get_absolute_url()).status_code == 404
    assert client.get(shown.get_absolute_url()).status_code == 200
    for path in ("/", "/learn/", "/learn/search/?q=words", "/sitemap.xml", "/learn/feed/"):
        page = client.get(path).content.decode()
        assert "Unread words" not in page and "/unread/" not in page, path
    Clinic.objects.update(shows_unreviewed_articles=True)
    assert client.get(hidden.get_absolute_url()).status_code == 200


def test_article_names_its_reviewer_and_the_next_review(client, write_article, maria):
    article = write_article(
        author=maria, reviewed_by=maria, reviewed_on=date(2026, 11, 2), next_review_on=date(2027, 11, 2)
    )
    page = client.get(article.get_absolute_url()).content.decode()
    assert 'Maria Lake, PT, DPT, <time datetime="2026-11-02">Nov 2, 2026</time>' in page
    assert "November 2027" in page
    data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)[1])["@graph"][0]
    assert data["@type"] == "MedicalWebPage"
    assert data["reviewedBy"] == {"@type": "Person", "name": "Maria Lake", "honorificSuffix": "PT, DPT"}
    assert data["lastReviewed"] == "2026-11-02"


def test_update_date_is_the_clinics_when_utc_is_a_day_ahead(client, write_article):
    article = write_article()
    Article.objects.update(updated_at=datetime(2026, 11, 30, 3, 0, tzinfo=UTC))
    page = client.get(article.get_absolute_url()).content.decode()
    assert '<dt>Updated:</dt><dd><time datetime="2026-11-29">Nov 29, 2026</time>' in page


def test_structured_data_cannot_break_out_of_its_element(client, write_article):
    article = write_article(title="</script><script>alert(1)</script>", summary="<!-- & -->")
    page = client.get(article.get_absolute_url()).content.decode()
    assert "<script>alert" not in page
    data = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)[1]
    assert json.loads(data)["@graph"][0]["name"] == article.title


def test_booking_link_has_the_code_and_names_no_condition(client, write_article):
    call = Service.objects.create(
        slug="discovery-call", name="Discovery call", minutes=15, price_cents=0, offered_modes=["in_person", "phone"]
    )
    call.therapists.add(Therapist.objects.create(name="Meredith", slug="meredith"))
    article = write_article("hip-flexor-pain")
    page = client.get(article.get_absolute_url()).content.decode()
    links = re.findall(r'href="(/book/[^"]*)"', page)
    assert f"/book/discovery-call/?via={article.code}" in links
    assert not any("hip" in link for link in links)


@pytest.mark.parametrize("fields", [{"status": "draft"}, {"published_at": timezone.now() + timedelta(days=1)}])
def test_unpublished_article_is_hidden_from_readers(client, write_article, fields):
    article = write_article(**fields)
    assert client.get(article.get_absolute_url()).status_code == 404
    for path in ("/learn/", article.topic.get_absolute_url()):
        assert article.title not in client.get(path).content.decode()


def test_staff_preview_of_a_draft_is_not_cached(client, write_article, editor):
    article = write_article(status="draft")
    client.force_login(editor)
    answer = client.get(article.get_absolute_url())
    assert "This is a preview." in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Robots-Tag"] == "noindex"
    assert "ld+json" not in answer.content.decode()


def test_staff_without_the_permission_see_no_draft(client, write_article):
    client.force_login(User.objects.create_user("fred@clinic.example", name="Fred", roles=["front-desk"]))
    assert client.get(write_article(status="draft").get_absolute_url()).status_code == 404


@pytest.mark.parametrize("path", ["/learn/no-such-article/", "/learn/topics/no-such-topic/"])
def test_unknown_page_is_a_plain_404(client, path):
    assert client.get(path).status_code == 404


def test_article_page_refuses_post(client, write_article):
    assert client.post(write_article().get_absolute_url()).status_code == 405


def test_unchanged_article_answers_304(client, write_article):
    path = write_article().get_absolute_url()
    first = client.get(path)
    assert client.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304
    assert first["Last-Modified"] == "Tue, 03 Jun 2025 14:00:00 GMT"
    assert "Cookie" not in first.get("Vary", "")


def test_changed_text_or_clinic_is_shown_at_once(client, write_article):
    article = write_article()
    path = article.get_absolute_url()
    tag = client.get(path)["ETag"]
    Article.objects.update(body="## What it is\n\nNew words.")
    second = client.get(path, headers={"If-None-Match": tag})
    assert "New words." in second.content.decode()
    Clinic.objects.update(emergency_number="112")
    third = client.get(path, headers={"If-None-Match": second["ETag"]})
    assert '<a href="tel:112">112</a>' in third.content.decode()


def count_queries(client, path):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


@pytest.mark.parametrize("path", ["/learn/", "/learn/topics/hip-and-groin/", "/learn/sore-hip/"])
def test_page_costs_the_same_queries_for_thirty_articles_as_for_one(client, write_article, path):
    write_article()
    client.get(path)
    alone = count_queries(client, path)
    for number in range(29):
        write_article(f"article-{number}", position=number)
    assert count_queries(client, path) == alone <= 6


def test_series_links_to_the_previous_and_next_article(client, write_article):
    for position, slug in enumerate(["first", "second", "third"]):
        write_article(slug, position=position)
    page = client.get("/learn/second/").content.decode()
    assert 'href="/learn/first/" rel="prev"' in page
    assert 'href="/learn/third/" rel="next"' in page
    assert 'rel="prev"' not in client.get("/learn/first/").content.decode()


def test_pages_load_nothing_from_other_servers(client, write_article):
    for path in ("/learn/", write_article().get_absolute_url()):
        page = client.get(path).content.decode()
        assert not re.search(r'<(?:script|img|iframe|link rel="stylesheet")[^>]*(?:src|href)="https?:', page)
        assert " style=" not in page


def test_page_without_articles_shows_the_phone(client):
    assert 'href="tel:' in client.get("/learn/").content.decode().split('class="empty"')[1].split("</p>")[0]
