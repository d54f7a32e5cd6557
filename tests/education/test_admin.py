"""Staff write articles. An article without sources, or one that is hard to read, cannot be published."""

from urllib.parse import urlencode

import pytest
from django.urls import reverse

from education.articles.library import load_articles
from education.forms.articles import ArticleForm, read_reference
from education.models import Article
from tests.education.forms import article_form
from tests.world import WRITTEN_AT

ADD = reverse("admin:education_article_add")


@pytest.fixture
def form_data(hip):
    return {
        "title": "Sore hip",
        "slug": "sore-hip",
        "topic": hip.pk,
        "position": 1,
        "status": "draft",
        "published_at_0": "",
        "published_at_1": "",
        "summary": "What a sore hip can be linked with.",
        "who_for": "Runners",
        "key_facts": "Hips bend.\r\n\r\nThey also turn.",
        "care": "::: emergency Get help now\r\nCall {emergency}.\r\n:::",
        "body": "## What it is\r\n\r\nHips bend. [@weir] {limited}",
        "references": "weir | Weir. Groin pain. | https://doi.org/10.1136/bjsports-2015-094869",
        "author": "",
        "reviewed_by": "",
        "reviewed_on": "",
        "next_review_on": "",
    }


@pytest.fixture
def erin(client, editor):
    client.force_login(editor)
    return client


def test_editor_writes_and_publishes_an_article(erin, form_data):
    answer = erin.post(ADD, {**form_data, "status": "published"})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    article = Article.objects.get()
    assert article.published_at is not None
    assert article.key_facts == ["Hips bend.", "They also turn."]
    assert article.references == [{"id": "weir", "text": "Weir. Groin pain.", "doi": "10.1136/bjsports-2015-094869"}]
    assert "\r" not in article.body + article.care


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("references", ""),
        ("body", "Hips bend. [@lost]"),
        ("body", "![](figure:hip-flexors)"),
        ("body", "![A hip](figure:lost)"),
        ("body", "You have a strain."),
        ("summary", "Running is safe."),
        ("care", ""),
        (
            "body",
            "Conservative rehabilitation necessitates multidisciplinary consideration of biomechanical predispositions, "
            "individualised periodisation and psychological characteristics. [@weir]",
        ),
    ],
)
def test_article_with_an_error_cannot_be_published(form_data, field, value):
    assert ArticleForm({**form_data, field: value}).is_valid()
    form = ArticleForm({**form_data, field: value, "status": "published"})
    assert field in form.errors


@pytest.mark.parametrize("field", ["title", "summary", "who_for", "key_facts", "care", "body", "references"])
@pytest.mark.parametrize("status", ["draft", "published"])
def test_replacement_character_is_not_saved(form_data, field, status):
    text = "weir | Weir. Groin pain." if field == "references" else form_data[field]
    form = ArticleForm({**form_data, field: f"{text} \N{REPLACEMENT CHARACTER}", "status": status})
    assert field in form.errors


def test_lone_surrogate_is_refused(erin, form_data):
    others = {name: value for name, value in form_data.items() if name != "body"} | {"status": "published"}
    sent = urlencode(others) + "&body=%ED%A0%80"
    answer = erin.post(ADD, sent, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert not Article.objects.exists()


@pytest.mark.parametrize("body", ["---", "**", "."])
def test_article_without_text_is_not_published(form_data, body):
    form = ArticleForm({**form_data, "body": body, "status": "published"})
    assert list(form.errors) == ["body"]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_dates_in_a_far_year_are_refused(erin, form_data, day):
    dates = {"published_at_0": day, "published_at_1": "9 AM", "reviewed_on": day, "next_review_on": day}
    page = erin.post(ADD, {**form_data, **dates}).content.decode()
    assert page.count("Please check the year.") == 3


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"reviewed_on": "2026-11-01"}, "reviewed_on"), ({"next_review_on": "2027-11-01"}, "next_review_on")],
)
def test_review_requires_a_reviewer_and_dates_in_order(form_data, fields, field):
    assert field in ArticleForm({**form_data, **fields}).errors


@pytest.mark.parametrize(
    "line", ["weir", "we ir | Text", " | Text", "weir | Text | doi 10", "weir | Text | http://x.example"]
)
def test_malformed_reference_is_refused(form_data, line):
    assert "references" in ArticleForm({**form_data, "references": line}).errors


def test_duplicate_reference_id_is_refused(form_data):
    assert "references" in ArticleForm({**form_data, "references": "weir | One\nweir | Two"}).errors


def test_reference_may_have_a_url_or_none():
    assert read_reference("a | Text | https://x.example/y") == {"id": "a", "text": "Text", "url": "https://x.example/y"}
    assert read_reference("a | Text") == {"id": "a", "text": "Text"}


def test_saving_a_shipped_article_unchanged_does_not_mark_it_as_edited(erin):
    load_articles(now=WRITTEN_AT)
    article = Article.objects.get(slug="hip-flexor-pain-running")
    path = reverse("admin:education_article_change", args=[article.pk])
    data = article_form(erin, path)
    data["body"] = data["body"].replace("\n", "\r\n")
    assert erin.post(path, data).status_code == 302
    article.refresh_from_db()
    assert not article.is_edited_by_staff
    assert article.updated_at > WRITTEN_AT


def test_editor_sees_state_grade_and_errors(erin, write_article):
    article = write_article(body="You have a strain. [@lost]", references=[])
    page = erin.get(reverse("admin:education_article_change", args=[article.pk])).content.decode()
    assert "published, not reviewed" in page
    assert "“lost”" in page
    assert "(aim for 6 to 8)" in page
    assert f'href="{article.get_absolute_url()}"' in page


def test_list_of_articles_shows_their_state(erin, write_article):
    write_article("out")
    write_article("not-out", status="draft")
    page = erin.get(reverse("admin:education_article_changelist")).content.decode()
    assert "chip-quiet" in page
    assert "chip-warn" in page
