"""Revisions are saved, compared and restored. An update never overwrites text edited by staff."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.practice.models import User
from education.articles.editing import (
    NothingProposed,
    accept_proposal,
    decline_proposal,
    restore_revision,
    save_article,
)
from education.articles.library import load_articles
from education.articles.publishing import find_broken_links
from education.forms.articles import ArticleForm
from education.models import Article, Revision
from education.text.differences import Piece, compare_texts
from tests.factories import ClinicFactory
from tests.world import WRITTEN_AT

LATER = WRITTEN_AT.replace(day=5)


@pytest.fixture
def edited(db, folder, editor):
    """A shipped article that Erin has edited, with a pending update from its file."""
    load_articles(now=WRITTEN_AT, folder=folder("First."))
    article = Article.objects.get()
    article.body = "What Erin wrote."
    save_article(article, by=editor, now=LATER)
    load_articles(now=LATER, folder=folder("Second."))
    article.refresh_from_db()
    return article


def test_first_edit_saves_the_previous_text(write_article, editor):
    article = write_article(body="Before.")
    article.body = "After."
    save_article(article, by=editor, now=LATER)
    assert [(row.text["body"], row.saved_by) for row in article.revisions.all()] == [
        ("After.", editor),
        ("Before.", None),
    ]


def test_saving_the_same_text_creates_no_revision(write_article, editor):
    article = write_article()
    for _ in range(2):
        save_article(article, by=editor, now=LATER)
    assert article.revisions.count() == 1


def test_restored_text_is_a_new_revision(write_article, editor):
    article = write_article(body="Before.")
    article.body = "After."
    save_article(article, by=editor, now=LATER)
    restore_revision(article.revisions.last(), by=editor, now=LATER.replace(day=6))
    article.refresh_from_db()
    assert article.body == "Before."
    assert [row.text["body"] for row in article.revisions.all()] == ["Before.", "After.", "Before."]


def test_update_of_an_edited_article_is_proposed(edited):
    assert edited.body == "What Erin wrote."
    assert edited.proposal["body"] == "Second."


def test_accepted_update_marks_the_article_as_not_edited(edited, folder, editor):
    accept_proposal(edited, by=editor, now=LATER)
    article = Article.objects.get()
    assert (article.body, article.proposal, article.is_edited_by_staff) == ("Second.", None, False)
    assert load_articles(now=LATER, folder=folder("Third.")) == {"updated": 1}


def test_declined_update_is_not_proposed_again_but_the_next_one_is(edited, folder):
    decline_proposal(edited)
    load_articles(now=LATER, folder=folder("Second."))
    assert Article.objects.get().proposal is None
    load_articles(now=LATER, folder=folder("Third."))
    assert Article.objects.get().proposal["body"] == "Third."


def test_proposal_is_accepted_or_declined_once(edited, editor):
    decline_proposal(edited)
    with pytest.raises(NothingProposed):
        accept_proposal(edited, by=editor, now=LATER)
    assert Article.objects.get().body == "What Erin wrote."


def test_difference_is_shown_by_words_without_unchanged_lines():
    changes = compare_texts("Same.\nRun less today.\nGone.", "Same.\nRun more today.")
    assert changes == [
        [Piece("same", "Run "), Piece("removed", "less"), Piece("added", "more"), Piece("same", " today.")],
        [Piece("removed", "Gone.")],
    ]


@pytest.mark.parametrize("text", ["", "One line.", "a\n\nb"])
def test_same_text_has_no_difference(text):
    assert compare_texts(text, text) == []


def revisions_path(article):
    return reverse("admin:education_article_revisions", args=[article.pk])


def test_editor_compares_and_accepts_an_update(client, edited, editor):
    client.force_login(editor)
    page = client.get(revisions_path(edited)).content.decode()
    assert "<ins>Second</ins>" in page.replace("\n", "") and "<del>" in page
    assert client.post(revisions_path(edited), {"proposal": "accept"}).status_code == 302
    assert Article.objects.get().body == "Second."
    again = client.post(revisions_path(edited), {"proposal": "decline"}, follow=True)
    assert [message.level_tag for message in again.context["messages"]] == ["success", "warning"]


def test_unchanged_article_has_no_revisions(client, write_article, editor):
    client.force_login(editor)
    assert client.get(revisions_path(write_article())).context["revisions"] == []


def test_editor_restores_a_revision(client, edited, editor):
    client.force_login(editor)
    first = Revision.objects.last()
    client.post(revisions_path(edited), {"restore": first.pk})
    assert Article.objects.get().body == "First."


@pytest.mark.parametrize("number", ["0", "999999", "x", "-1", "²"])
def test_unknown_revision_is_a_404(client, edited, editor, number):
    client.force_login(editor)
    assert client.post(revisions_path(edited), {"restore": number}).status_code == 404


def test_staff_without_the_permission_cannot_change_revisions(client, edited):
    client.force_login(User.objects.create_user("fred@clinic.example", name="Fred", roles=["front-desk"]))
    assert client.post(revisions_path(edited), {"proposal": "accept"}).status_code == 403
    assert client.post(reverse("admin:education_article_preview")).status_code == 403


def test_preview_shows_unsaved_text_in_the_sites_style(client, hip, editor):
    ClinicFactory()
    client.force_login(editor)
    data = {
        "title": "Sore hip",
        "topic": hip.pk,
        "body": "## New\r\n\r\nUnsaved words. <script>x</script>",
        "care": "",
        "references": "x",
        "new_picture_shows": "A hill, not yet uploaded",
    }
    answer = client.post(reverse("admin:education_article_preview"), data)
    page = answer.content.decode()
    assert answer.context["is_unsaved"]
    assert "Unsaved words." in page and "css/site.css" in page and "<script>x" not in page
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in answer["Content-Security-Policy"]
    assert not Article.objects.exists()


def test_preview_without_a_topic_is_plain_text(client, editor):
    client.force_login(editor)
    answer = client.post(reverse("admin:education_article_preview"), {})
    assert answer.status_code == 200 and answer["Content-Type"] == "text/plain" and answer.content


def test_list_shows_the_number_of_pending_reviews(client, write_article, maria, editor):
    today = timezone.localdate()
    write_article(reviewed_by=maria, reviewed_on=today.replace(year=today.year - 1), next_review_on=today)
    client.force_login(editor)
    path = reverse("admin:education_article_changelist")
    assert [message.message[-2:] for message in client.get(path).context["messages"]] == ["1."]
    assert "Sore hip" in client.get(path, {"waiting": "review"}).content.decode()
    assert "Sore hip" not in client.get(path, {"waiting": "update"}).content.decode()


def test_today_counts_pending_reviews_and_updates(client, write_article, maria, editor):
    today = timezone.localdate()
    client.force_login(editor)
    path = reverse("admin:index")
    assert "articles_waiting" not in client.get(path).context
    review = {"reviewed_by": maria, "reviewed_on": today.replace(year=today.year - 1)}
    write_article("soon", **review, next_review_on=today + timedelta(days=29))
    write_article("later", **review, next_review_on=today + timedelta(days=31))
    write_article("updated", proposal={})
    waiting = client.get(path).context["articles_waiting"]
    assert waiting == {"first_reviews": 1, "reviews": 1, "updates": 1}


def test_today_without_the_permission_shows_no_articles(client, write_article):
    write_article("updated", proposal={})
    client.force_login(User.objects.create_user("fred@clinic.example", name="Fred", roles=["front-desk"]))
    assert "articles_waiting" not in client.get(reverse("admin:index")).context


@pytest.mark.parametrize("slug", ["search", "glossary", "load-check"])
def test_slug_of_another_page_is_refused(db, slug):
    assert "slug" in ArticleForm({"slug": slug}).errors


def test_broken_links_are_found(write_article):
    body = "[a](/learn/sore-hip/) [b](/learn/lost/) [c](/nowhere) [d](/learn/search/) [e](/book/)"
    article = write_article("sore-hip", body=body)
    faults = find_broken_links(article)
    assert len(faults) == 2 and "/learn/lost/" in faults[0] and "/nowhere" in faults[1]


# Two editors at once


@pytest.fixture
def two_editors(client, write_article, editor):
    """An article whose form Erin has opened. Returns the article, the form data, and its URL."""
    client.force_login(editor)
    article = write_article(body="Hips bend. [@weir]")
    address = reverse("admin:education_article_change", args=[article.pk])
    form = client.get(address).context["adminform"].form
    values = {name: form[name].value() for name in form.fields if name not in ("new_picture", "takes_off")}
    posted = {name: "" if value is None else value for name, value in values.items()}
    posted["published_at"] = timezone.now() - timedelta(days=1)
    return article, posted | split_instant(posted["published_at"]), address


def split_instant(instant):
    local = timezone.localtime(instant)
    return {"published_at_0": local.date().isoformat(), "published_at_1": local.time().isoformat("seconds")}


def test_later_save_shows_both_texts(client, two_editors):
    article, posted, address = two_editors
    frank = User.objects.create_superuser("frank@clinic.example", name="Frank")
    article.body = "Frank's words. [@weir]"
    save_article(article, by=frank, now=timezone.now())

    answer = client.post(address, posted | {"body": "Erin's words. [@weir]"})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert answer.context["adminform"].form.concurrent_edit.by == "Frank"
    assert "<del>Frank</del>" in page and "<ins>Erin</ins>" in page
    article.refresh_from_db()
    assert article.body == "Frank's words. [@weir]"

    form = answer.context["adminform"].form
    assert (
        client.post(address, posted | {"body": form["body"].value(), "seen": form["seen"].value()}).status_code == 302
    )
    article.refresh_from_db()
    assert article.body == "Erin's words. [@weir]"
    assert "Frank's words. [@weir]" in [row.text["body"] for row in article.revisions.all()]


def test_save_without_a_concurrent_edit_goes_through(client, two_editors):
    article, posted, address = two_editors
    assert client.post(address, posted | {"body": "Erin's words. [@weir]"}).status_code == 302
    article.refresh_from_db()
    assert article.body == "Erin's words. [@weir]"


def test_concurrent_edit_of_another_field_is_shown(client, two_editors, editor):
    article, posted, address = two_editors
    article.position = 7
    save_article(article, by=editor, now=timezone.now())
    form = client.post(address, posted).context["adminform"].form
    assert "position" in form.concurrent_edit.others
    article.refresh_from_db()
    assert article.position == 7


def test_publishing_date_in_the_future_must_be_confirmed(client, two_editors):
    article, posted, address = two_editors
    ahead = posted | split_instant(timezone.now() + timedelta(days=30))
    answer = client.post(address, ahead)
    assert list(answer.context["adminform"].form.errors) == ["published_at"]
    assert 'name="takes_off"' in answer.content.decode()
    article.refresh_from_db()
    assert article.is_out(now=timezone.now())
    done = client.post(address, ahead | {"takes_off": "on"})
    assert done.status_code == 302, done.context["adminform"].form.errors
    article.refresh_from_db()
    assert not article.is_out(now=timezone.now())
