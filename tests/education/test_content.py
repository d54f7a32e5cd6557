"""The shipped articles: they follow the rules for all articles, and some stricter ones."""

import re

import brotli
import pytest

from education.articles.glossary import read_glossary
from education.articles.library import CONTENT_DIR, load_articles, render_fresh
from education.articles.publishing import article_grade, find_faults
from education.body.body_sites import BODY_SITES
from education.exercises.library import read_exercises
from education.forms.articles import RESERVED_SLUGS
from education.models import Article
from education.text.article_file import ArticleFileInvalid, read_article_file
from education.text.readability import EASIEST_GRADE, HARDEST_GRADE, find_forbidden, reading_grade
from tests.factories import ClinicFactory
from tests.world import WRITTEN_AT

FILES = sorted(CONTENT_DIR.glob("*.md"))
PILLAR = "hip-flexor-pain-running"


@pytest.fixture(scope="module", params=FILES, ids=[path.stem for path in FILES])
def article(request):
    file = read_article_file(request.param.name, request.param.read_text())
    return Article(slug=file.slug, **file.text)


@pytest.fixture(scope="module")
def pillar():
    path = CONTENT_DIR / f"{PILLAR}.md"
    return Article(slug=PILLAR, **read_article_file(path.name, path.read_text()).text)


def test_shipped_article_passes_all_checks_of_publishing(article):
    article.full_clean(exclude=["topic", "created_at", "updated_at"], validate_unique=False, validate_constraints=False)
    assert find_faults(article) == {}


def test_shipped_article_is_easy_to_read_without_being_choppy(article):
    assert EASIEST_GRADE <= article_grade(article) <= HARDEST_GRADE


def test_every_source_is_cited_and_has_a_link(article):
    for source in render_fresh(article).sources:
        assert source.is_cited, source.id
        assert source.url.startswith("https://"), source.id


def test_emergency_card_comes_first_with_the_number_before_the_list(article):
    care = render_fresh(article, emergency_number="911").care_html
    assert care.startswith('<section class="care-card care-emergency">')
    assert care.index('href="tel:911"') < care.index("<ul>")
    assert "care-urgent" in care


def test_links_between_articles_exist(article):
    slugs = {path.stem for path in FILES} | RESERVED_SLUGS
    assert set(re.findall(r"\(/learn/([\w-]+)/", article.body)) <= slugs | {"exercises"}
    codes = set(re.findall(r"\(/learn/exercises/([\w-]+)/\)", article.body))
    assert codes <= set(read_exercises()) | {"warm-up", "stretches", "strength"}


def test_every_article_has_a_figure_with_alternative_text(article):
    html = render_fresh(article).body_html
    drawn, pictures = html.count('<figure class="figure-drawn"><svg'), re.findall(r"<img src=\"/learn/[^>]+>", html)
    assert drawn == html.count("<title id=") and drawn + len(pictures) >= 1
    assert all(re.search(r'alt="[^"]{20,}"', picture) for picture in pictures)


def test_body_sites_link_to_shipped_articles():
    slugs = {path.stem for path in FILES}
    assert {slug for site in BODY_SITES.values() for slug in site.articles} <= slugs


def test_glossary_follows_the_rules_for_wording():
    for term in read_glossary().values():
        assert find_forbidden(term.meaning) == []
        assert reading_grade(term.meaning) <= 12


def test_articles_have_different_figures():
    drawn = [set(re.findall(r"figure:([\w-]+)", path.read_text())) for path in FILES]
    assert all(drawn)
    assert len(set().union(*drawn)) >= len(FILES) - 1


def test_pillar_has_every_part(pillar):
    parts = {heading.id for heading in render_fresh(pillar).contents}
    assert parts >= {
        "what-the-hip-flexors-do",
        "why-runners-feel-it-here",
        "what-may-be-going-on",
        "could-it-be-the-bone",
        "why-a-list-cannot-tell",
        "what-makes-it-worse",
        "running-form-what-is-known",
        "can-i-keep-running",
        "what-helps-most",
        "other-treatments-and-how-sure-we-are",
        "where-to-find-us-and-what-happens",
    }


@pytest.mark.parametrize(
    "words",
    [
        *("strain", "tendinopathy", "hamstrings", "shin muscles", "scuff", "10%", "5,205", "Hills"),
        *("Stretching", "Dry needling", "Cupping", "Muscle scraping", "Muscle energy", "Red light", "Vibration"),
        *("Meredith", "discovery call", "evaluation", "bone stress"),
    ],
)
def test_pillar_mentions(pillar, words):
    assert words in pillar.body + " ".join(pillar.key_facts)


def test_pillar_puts_exercise_before_the_other_treatments(pillar):
    assert pillar.body.index("## What helps most") < pillar.body.index("**Dry needling**")


def test_every_treatment_shows_its_level_of_evidence(pillar):
    section = pillar.body.split("## Other treatments")[1].split("## Where")[0]
    items = re.findall(r"^- \*\*.*$", section, re.MULTILINE)
    assert len(items) == 7
    assert all(re.search(r"\{(strong|limited|opinion)\}", item) and "[@" in item for item in items)


def test_loading_twice_changes_nothing(db):
    assert load_articles(now=WRITTEN_AT)["created"] == len(FILES)
    before = list(Article.objects.values())
    assert load_articles(now=WRITTEN_AT.replace(year=2026)) == {"unchanged": len(FILES)}
    assert list(Article.objects.values()) == before


def test_changed_file_updates_an_article_not_edited_by_staff(db, folder):
    load_articles(now=WRITTEN_AT, folder=folder("First."))
    later = WRITTEN_AT.replace(day=4)
    assert load_articles(now=later, folder=folder("Second.")) == {"updated": 1}
    article = Article.objects.get()
    assert (article.body, article.updated_at, article.published_at) == ("Second.", later, WRITTEN_AT)
    assert not article.is_edited_by_staff


def test_staff_edit_survives_an_update(db, folder):
    load_articles(now=WRITTEN_AT, folder=folder("First."))
    article = Article.objects.get()
    article.body = "What Erin wrote."
    article.save()
    assert load_articles(now=WRITTEN_AT, folder=folder("Second.")) == {"kept": 1}
    assert Article.objects.get().body == "What Erin wrote."


def test_reviewed_text_survives_an_update(db, folder, maria):
    load_articles(now=WRITTEN_AT, folder=folder("First."))
    Article.objects.update(reviewed_by=maria, reviewed_on=WRITTEN_AT.date())
    assert load_articles(now=WRITTEN_AT, folder=folder("Second.")) == {"kept": 1}
    assert Article.objects.get().body == "First."


def test_unpublished_or_moved_article_is_not_restored(db, folder):
    load_articles(now=WRITTEN_AT, folder=folder("First."))
    Article.objects.update(status="draft", slug="moved")
    load_articles(now=WRITTEN_AT, folder=folder("Second."))
    article = Article.objects.get()
    assert (article.status, article.slug, article.body) == ("draft", "moved", "Second.")


PLACELESS = """+++
title = "x"
topic = "hip"
summary = ""
who_for = ""
key_facts = []
care = ""
references = []
place = "elbow"
+++
"""


@pytest.mark.parametrize(
    "content",
    [PLACELESS, "no head", "+++\ntitle = \n+++\nbody", '+++\ntitle = "x"\n+++\nbody', "before\n+++\n+++\nbody"],
)
def test_invalid_file_is_refused_and_nothing_is_stored(db, folder, content):
    path = folder("First.")
    (path / "broken.md").write_text(content)
    with pytest.raises(ArticleFileInvalid, match=r"broken\.md"):
        load_articles(now=WRITTEN_AT, folder=path)
    assert not Article.objects.exists()


def test_longest_article_is_small_enough_for_a_slow_connection(client, db):
    """A server may send 14,600 bytes before it waits for the first acknowledgment."""
    ClinicFactory()
    load_articles(now=WRITTEN_AT)
    page = client.get(f"/learn/{PILLAR}/").content
    assert len(brotli.compress(page, mode=brotli.MODE_TEXT, quality=10)) <= 14_600
