"""Database constraints of articles."""

from datetime import date

import pytest
from django.db import IntegrityError

from education.models import CODE_ALPHABET, Article


def test_code_is_short_random_and_reveals_nothing(write_article):
    codes = {write_article(f"hip-{number}").code for number in range(20)}
    assert len(codes) == 20
    assert all(len(code) == 6 and set(code) <= set(CODE_ALPHABET) for code in codes)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"published_at": None}, "article_published_since_some_instant"),
        ({"care": ""}, "article_published_says_when_to_get_help"),
        ({"summary": ""}, "article_published_says_when_to_get_help"),
        ({"status": "hidden"}, "article_status_is_known"),
        ({"reviewed_on": date(2026, 11, 1)}, "article_review_has_a_reviewer_and_a_day"),
        ({"next_review_on": date(2027, 11, 1)}, "article_next_review_follows_a_review"),
        ({"place": "elbow"}, "article_place_is_known"),
        ({"code": "hip1"}, "article_code_is_opaque"),
        ({"source_file": "hip.md"}, "article_from_a_file_knows_its_checksum"),
    ],
)
def test_database_refuses_an_inconsistent_article(write_article, fields, constraint):
    with pytest.raises(IntegrityError, match=constraint):
        write_article(**fields)


def test_next_review_on_the_day_of_the_last_one_is_refused(write_article, maria):
    with pytest.raises(IntegrityError, match="article_next_review_follows_a_review"):
        write_article(reviewed_by=maria, reviewed_on=date(2026, 11, 1), next_review_on=date(2026, 11, 1))


def test_two_articles_cannot_come_from_one_file(write_article):
    write_article(source_file="hip.md", source_checksum="x")
    with pytest.raises(IntegrityError, match="article_file_is_loaded_once"):
        write_article("another", source_file="hip.md", source_checksum="y")


def test_reading_minutes_are_updated_with_the_body(write_article):
    article = write_article(body="word " * 1000)
    article.body = "word " * 2000
    article.save()
    assert Article.objects.get().reading_minutes == 10
