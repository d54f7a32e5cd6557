"""Search terms: typos are corrected, real words are unchanged, and an empty result offers other articles."""

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clinic.practice.models import Clinic
from education.articles.library import load_articles
from education.articles.search import search_articles
from education.articles.vocabulary import article_words, correct_word, subject_words
from education.models import Article
from tests.factories import ClinicFactory
from tests.world import WRITTEN_AT

pytestmark = pytest.mark.django_db
FOUND, NOTHING, CLINIC = "found as typed", "nothing on this yet", "about the clinic"
TABLE = {
    # Typos: a letter added, omitted or wrong, or two swapped; two typos in a long word.
    "illiopsoas": "iliopsoas",
    "iliopsaos": "iliopsoas",
    "tendinopaty": "tendinopathy",
    "tendonopathy": "tendinopathy",
    "tendonopaty": "tendinopathy",
    "cadance": "cadence",
    "cadense": "cadence",
    "hipp": "hip",
    "gruoin": "groin",
    "runing": "running",
    "streching": "stretching",
    "strecthing": "stretching",
    "excercise": "exercise",
    "exersise": "exercise",
    "kneee": "knee",
    "marathn": "marathon",
    "hamstirng": "hamstring",
    "spoas": "psoas",
    "fracure": "fracture",
    "hip flexer": "hip flexor",
    "hipp flexr": "hip flexor",
    # Words of the articles: whole, by prefix, or by stem.
    "treadmil": FOUND,
    "achiles": FOUND,
    "groine": FOUND,
    "hip": FOUND,
    "knees": FOUND,
    "groin pain": FOUND,
    "tendinopat": FOUND,
    "achilles": FOUND,
    "marathon": FOUND,
    "can I keep running with hip pain": FOUND,
    # Real words that are in no article: never corrected.
    "insurance": CLINIC,
    "shin splints": NOTHING,
    "plantar": NOTHING,
    "plantar fasciitis": NOTHING,
    "orthotics": NOTHING,
    "copay": CLINIC,
    "piriformis": NOTHING,
    "sciatica": NOTHING,
    "labrum": NOTHING,
    "swimming": NOTHING,
    "itb": NOTHING,
    "parking": CLINIC,
    "refund": CLINIC,
    "turmeric": NOTHING,
    "garmin": NOTHING,
    "osteoarthritis": NOTHING,
    # Multiword terms, and short words.
    "IT band": NOTHING,
    "it bands": NOTHING,
    "IT band syndrome": NOTHING,
    "iliotibial band": NOTHING,
    "ITBS": NOTHING,
    "runner's knee": NOTHING,
    "tennis ball": NOTHING,
    "acl": NOTHING,
    "SI joint": NOTHING,
    "MRI": FOUND,
    "elastic band": FOUND,
    # Words about the clinic. Beside a word for a body site they are ordinary words.
    "medicare": CLINIC,
    "cost": CLINIC,
    "How much does it cost?": CLINIC,
    "price": CLINIC,
    "opening hours": CLINIC,
    "are you open on Saturday": CLINIC,
    "cancel my appointment": CLINIC,
    "phone": CLINIC,
    "hip pain after hours of sitting": FOUND,
    # Typos of such words, and strings that are no words.
    "plantr": NOTHING,
    "insurence": CLINIC,
    "piriformes": NOTHING,
    "insuranc": CLINIC,
    "xqzvw": NOTHING,
    "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq": NOTHING,
    "12345": NOTHING,
}


@pytest.fixture
def _articles(db):
    ClinicFactory()
    load_articles(now=WRITTEN_AT)


@pytest.mark.usefixtures("_articles")
def test_each_query_of_the_table_has_the_expected_result():
    answers = {}
    for text in TABLE:
        results = search_articles(text, now=timezone.now())
        answers[text] = results.corrected or (
            FOUND if results.found else CLINIC if results.is_about_clinic else NOTHING
        )
        assert results.found or results.is_about_clinic or 0 < len(results.nearest or results.openings) <= 3
    assert answers == TABLE


@pytest.mark.usefixtures("_articles")
def test_empty_result_shows_the_nearest_articles(client):
    page = client.get(reverse("education:search"), {"q": "shin splints"}).text
    assert 'class="empty"' in page
    nearest = search_articles("shin splints", now=timezone.now()).nearest
    assert all(("shin", True) in [(text.lower(), is_hit) for text, is_hit in one.excerpt] for one in nearest)
    assert nearest[0].article.get_absolute_url() in page
    page = client.get(reverse("education:search"), {"q": "plantar"}).text
    assert 'class="empty"' in page and "<mark>" not in page
    assert search_articles("plantar", now=timezone.now()).openings[0].get_absolute_url() in page


@pytest.mark.parametrize("text", ["IT band", "itb", "iliotibial band"])
def test_it_band_does_not_match_elastic_band(text, write_article):
    write_article("strength", title="Strength at home", body="Train with an elastic band.")
    results = search_articles(text, now=timezone.now())
    assert not results.found and not results.nearest
    article = write_article("side", title="Pain on the outside", body="The iliotibial band runs down the thigh.")
    assert [found.article for found in search_articles(text, now=timezone.now()).found] == [article]


@pytest.mark.usefixtures("_articles")
@pytest.mark.parametrize("text", ["insurance", "cost", "hours", "cancel"])
def test_question_about_the_clinic_shows_prices_hours_and_phone(client, text):
    Clinic.objects.update(phone="+16035550142")
    page = client.get(reverse("education:search"), {"q": text}).text.partition("<main")[2].partition("</main>")[0]
    assert f"About the clinic: “{text}”" in page and 'class="empty"' not in page
    assert f'href="{reverse("booking:services")}"' in page and 'href="/#where"' in page and "tel:+16035550142" in page
    assert 'class="card-plain"' not in page


@pytest.mark.usefixtures("_articles")
def test_eight_unknown_words_cost_the_same_queries_as_one_and_little_cpu():
    def queries_for(text):
        with CaptureQueriesContext(connection) as queries:
            search_articles(text, now=timezone.now())
        return len(queries)

    unknown = "insurxnce tendinxpaty illiopsxas marxthons gluteusxx hamstrxngs cadxncess plantarxx"
    queries_for("xqzvw")  # loads the words of the articles
    assert queries_for("xqzvw") == queries_for(unknown) <= 4
    known = article_words(now=timezone.now())
    seconds = []
    for _ in range(5):
        before = time.process_time()
        for word in unknown.split():
            correct_word(word, known=known)
        seconds.append(time.process_time() - before)
    assert min(seconds) < 0.05


def test_words_of_articles_include_only_published_articles(write_article):
    now = timezone.now()
    article = write_article(body="A zygomatic word.", prose="A zygomatic word.")
    assert "zygomatic" in article_words(now=now)
    article.body, article.updated_at = "Another.", now
    article.save()
    assert "zygomatic" not in article_words(now=now)
    Article.objects.update(status="draft")
    assert article_words(now=now) == frozenset()


def test_word_is_corrected_only_to_the_nearest_word_and_only_if_an_article_has_it():
    assert correct_word("plantr", known={"plant"}) == "plantr"  # "plantar" is nearer
    assert correct_word("groinn", known={"groin", "going"}) == "groin"
    assert correct_word("insurance", known={"instance"}) == "insurance"
    assert correct_word("qip", known={"hip"}) == "qip"  # too short to correct


def test_subject_words_are_lowercase_letters():
    assert len(subject_words()) > 300
    assert all(word == word.lower() and word.isalpha() for word in subject_words())
