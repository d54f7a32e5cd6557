"""Search, sitemap, feed and redirects."""

import xml.etree.ElementTree as ET
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.practice.models import Clinic
from education.articles.editing import save_article
from education.articles.library import load_articles
from education.articles.search import search_articles, split_headline
from education.models import Article, FormerSlug
from tests.factories import ClinicFactory
from tests.world import WRITTEN_AT

SEARCH = reverse("education:search")


@pytest.fixture(autouse=True)
def _clinic(db):
    ClinicFactory()


def found_slugs(text):
    return [found.article.slug for found in search_articles(text, now=timezone.now()).found]


def test_title_ranks_above_text(write_article):
    write_article("text", title="Hips", body="Cadence here, and cadence again.")
    write_article("title", title="Cadence", body="Quicker steps.")
    assert found_slugs("cadence") == ["title", "text"]


@pytest.mark.parametrize("text", ["hips", "hip", "BEND", "bending hip", "sore  hip!", "bend the h"])
def test_words_are_found_in_any_form_or_by_prefix(write_article, text):
    write_article("sore-hip")
    assert found_slugs(text) == ["sore-hip"]


@pytest.mark.parametrize("text", ["Mondor", "Møndor", "mondôr"])
def test_accents_are_ignored(write_article, text):
    write_article("accents", body="Dr. Mondôr runs.")
    assert found_slugs(text) == ["accents"]


@pytest.mark.parametrize(
    ("typed", "meant"), [("illiopsoas", "iliopsoas"), ("tendinopaty", "tendinopathy"), ("cadance", "cadence")]
)
def test_mistyped_word_is_corrected(db, typed, meant):
    load_articles(now=WRITTEN_AT)
    results = search_articles(typed, now=timezone.now())
    assert results.corrected == meant
    assert results.found


def test_excerpt_marks_the_search_words(write_article):
    write_article(body="The iliopsoas is deep. " + "Other words follow here. " * 40)
    results = search_articles("iliopsoas", now=timezone.now())
    assert ("iliopsoas", True) in results.found[0].excerpt


def test_excerpt_keeps_the_emergency_number_and_separates_blocks(write_article):
    Clinic.objects.update_or_create(pk=1, defaults={"emergency_number": "112"})
    write_article(body="If the groin hurts at rest, call {emergency}.\n\n## Something else\n\nThe joint can hurt.")
    excerpt = "".join(text for text, _ in search_articles("groin", now=timezone.now()).found[0].excerpt)
    assert "call 112." in excerpt and "else · The" in excerpt


def test_excerpt_is_split_into_hits_and_other_text():
    assert split_headline("a \ue000b\ue001 c") == (("a ", False), ("b", True), (" c", False))


@pytest.mark.parametrize(
    "text", ["", "   ", "!!!", "& | :*", "the", "'; drop table", "\x00", "a" * 500, "\ue000x\ue001"]
)
def test_unusual_search_causes_no_error(client, write_article, text):
    write_article()
    assert client.get(SEARCH, {"q": text}).status_code == 200


def test_search_words_and_texts_are_escaped(client, write_article):
    write_article(title="Hips <script>", body="Hips and a <b>bold</b> thing.")
    page = client.get(SEARCH, {"q": "hips <script>alert(1)</script>"}).content.decode()
    assert "<script>alert" not in page and "Hips <script>" not in page
    assert "<b>bold" not in page


def test_unpublished_article_is_not_found(write_article):
    write_article("draft", status="draft")
    write_article("later", published_at=timezone.now() + timedelta(days=1))
    assert found_slugs("hip") == []


def test_results_are_not_cached(client, write_article):
    write_article()
    answer = client.get(SEARCH, {"q": "hip"})
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Robots-Tag"] == "noindex"
    assert "X-Robots-Tag" not in client.get(SEARCH)


def test_htmx_request_gets_only_the_results(client, write_article):
    write_article()
    part = client.get(SEARCH, {"q": "hip"}, headers={"HX-Request": "true"}).content.decode()
    assert "Sore hip" in part and "<html" not in part
    assert "Sore hip" in client.get(SEARCH, {"q": "hip"}).content.decode()


def test_search_costs_one_query_for_thirty_articles(write_article, django_assert_num_queries):
    for number in range(30):
        write_article(f"article-{number}")
    with django_assert_num_queries(1):
        search_articles("hip", now=timezone.now())


def test_sitemap_lists_published_articles_with_their_date(client, write_article):
    write_article("out")
    write_article("not-out", status="draft")
    root = ET.fromstring(client.get("/sitemap.xml").content)
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    entries = {url.findtext(f"{space}loc"): url.findtext(f"{space}lastmod") for url in root}
    assert entries["http://testserver/learn/out/"] == "2025-06-03"
    assert "http://testserver/learn/topics/hip-and-groin/" in entries
    assert not any("not-out" in address for address in entries)
    assert all(client.get(address.removeprefix("http://testserver")).status_code == 200 for address in entries)


def test_robots_txt_names_the_sitemap(client, settings):
    settings.SITE_URL = "http://testserver"
    assert "Sitemap: http://testserver/sitemap.xml" in client.get("/robots.txt").content.decode()


def test_feed_is_atom_with_the_newest_first(client, write_article):
    write_article("older", updated_at=WRITTEN_AT)
    write_article("newer", updated_at=WRITTEN_AT + timedelta(days=1))
    answer = client.get(reverse("education:feed"))
    assert answer["Content-Type"].startswith("application/atom+xml")
    space = "{http://www.w3.org/2005/Atom}"
    assert [entry.findtext(f"{space}title") for entry in ET.fromstring(answer.content).iter(f"{space}entry")] == [
        "Newer",
        "Older",
    ]


def test_former_slug_redirects_permanently(client, write_article, editor):
    article = write_article("old")
    article.slug = "new"
    save_article(article, by=editor, now=timezone.now())
    answer = client.get("/learn/old/")
    assert (answer.status_code, answer["Location"]) == (301, "/learn/new/")


def test_former_slug_of_a_draft_is_a_404(client, write_article):
    FormerSlug.objects.create(slug="old", article=write_article("new", status="draft"))
    assert client.get("/learn/old/").status_code == 404


def test_current_slug_takes_precedence_over_a_former_one(client, write_article, editor):
    article = write_article("first")
    for slug in ("second", "first"):
        article.slug = slug
        save_article(article, by=editor, now=timezone.now())
    assert client.get("/learn/first/").status_code == 200
    assert client.get("/learn/second/")["Location"] == "/learn/first/"
    save_article(Article(**{**vars_of(article), "slug": "second", "title": "Second"}), by=editor, now=timezone.now())
    assert client.get("/learn/second/").status_code == 200


def vars_of(article):
    names = ("topic", "title", "summary", "care", "body", "status", "published_at")
    return {name: getattr(article, name) for name in names}
