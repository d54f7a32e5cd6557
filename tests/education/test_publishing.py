"""Checks before an article is published."""

from education.articles.publishing import article_grade, find_faults
from education.models import Article

HARD = (
    "The committee considered the satisfactory implementation of the rehabilitation programme, although several "
    "individuals expressed reservations concerning its responsibilities."
)
REFERENCES = [{"id": "a", "text": "A and others. Hips. 2020.", "doi": "10.1/x"}]


def article(body):
    return Article(title="Hip", summary="Hips.", care="Call us.", body=body, references=REFERENCES, key_facts=[])


def test_short_headings_and_list_items_do_not_lower_the_grade():
    short = "\n\n## Why?\n\n- one\n- two\n- three\n"
    assert article_grade(article(HARD + short * 9)) == article_grade(article(HARD)) > 16


def test_hard_sentences_in_a_list_raise_the_grade():
    assert article_grade(article(f"It hurts. You stop.\n\n- {HARD}\n- {HARD}")) > 8


def test_hard_text_cannot_be_published():
    assert list(find_faults(article(f"{HARD} [@a]"))) == ["body"]
    assert find_faults(article("It hurts. [@a]")) == {}
