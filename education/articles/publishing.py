"""Checks that an article must pass before it is published."""

import re

from django.urls import Resolver404, resolve

from education.articles.library import render_fresh
from education.models import Article, FormerSlug, Picture
from education.text.picture_markup import picture_size
from education.text.prose import plain_paragraphs, plain_prose
from education.text.readability import HARDEST_GRADE, find_forbidden, reading_grade


def article_prose(article: Article) -> dict[str, str]:
    """Return the sentences of `article` by field, without markup, citations, tables and figures."""
    return {
        "title": article.title,
        "summary": article.summary,
        "key_facts": "\n".join(article.key_facts),
        "care": plain_prose(article.care),
        "body": plain_prose(article.body),
    }


def article_grade(article: Article) -> float:
    """Return the reading grade of the body: that of its paragraphs or of all its text, whichever is higher."""
    return max(reading_grade(read(article.body)) for read in (plain_paragraphs, plain_prose))


def find_faults(article: Article) -> dict[str, list[str]]:
    """Return the problems that block publishing, except broken links: sentences for the author, by field.

    Faults of rendering and missing pictures are under "body", even those in `care`. Raises ValueError if `care` or
    `body` is too long to render.
    """
    faults: dict[str, list[str]] = {}

    def fault(field: str, sentence: str) -> None:
        faults.setdefault(field, []).append(sentence)

    prose = article_prose(article)
    for field in ("summary", "care", "body"):
        if not prose[field].strip():
            fault(field, "Write this before you publish the article.")
    if not article.references:
        fault("references", "Name at least one source.")
    for sentence in [*render_fresh(article).faults, *find_missing_pictures(article)]:
        fault("body", sentence)
    for field, text in prose.items():
        for sentence in find_forbidden(text):
            fault(field, sentence)
    for field, grade in (("care", reading_grade(prose["care"])), ("body", article_grade(article))):
        if grade > HARDEST_GRADE:
            fault(
                field, f"Use shorter sentences. The reading grade is {grade}, and at most {HARDEST_GRADE:g} is allowed."
            )
    return faults


def find_missing_pictures(article: Article) -> list[str]:
    """Return a sentence for each picture in `article` that has a valid name and was not uploaded."""
    named = set(re.findall(r"\]\(picture:([\w-]+)", f"{article.care}\n{article.body}"))
    known = set(Picture.objects.filter(name__in=named).values_list("name", flat=True)) if named else set()
    return [f"There is no picture called “{name}”." for name in sorted(named - known) if picture_size(name)]


def find_broken_links(article: Article) -> list[str]:
    """Return a sentence for each link of `article` to a page that does not exist on this site."""
    paths = sorted(set(re.findall(r"\]\((/[^)#?\s]*)", f"{article.care}\n{article.body}")))
    return [f"The link to {path} is broken." for path in paths if not _is_page(path)]


def _is_page(path: str) -> bool:
    try:
        match = resolve(path)
    except Resolver404:
        return False
    if match.view_name != "education:article":
        return True
    slug = match.kwargs["slug"]
    return Article.objects.filter(slug=slug).exists() or FormerSlug.objects.filter(slug=slug).exists()
