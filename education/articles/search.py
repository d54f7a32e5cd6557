"""Full-text search of the articles. It ignores accents, matches the last word as a prefix, and corrects typos."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.search import SearchHeadline, SearchQuery, SearchRank
from django.db.models import F, Subquery

from clinic.practice.models import Clinic
from education.articles.vocabulary import article_words, correct_word
from education.models import SEARCH_CONFIG, Article
from education.text.prose import EMERGENCY_MARK
from education.text.query_words import CLINIC_WORDS, Term, is_about_clinic, read_terms

MOST_FOUND = 20
MOST_NEAREST = 3
# Private-use characters around a match in an excerpt, so that it can be split and escaped.
_OPENS, _CLOSES = "\ue000", "\ue001"
_EMERGENCY_NUMBER = Subquery(Clinic.objects.filter(pk=1).values("emergency_number"))
_BLOCK_ENDS = re.compile(rf"([.!?:]?)({_CLOSES}?)\s*\n\s*")


@dataclass(frozen=True)
class SearchResult:
    """An article, and its excerpt as (text, is a match) pieces."""

    article: Article
    excerpt: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class SearchResults:
    """The results of a search. `corrected` is the corrected query, if only that one matched articles.

    If nothing was found, `nearest` are articles that match some of the terms. If there are none either, `openings` are
    articles at position 1 of some topics. If `is_about_clinic`, the query was a question about the clinic, such as
    "insurance", and articles were not searched.
    """

    found: tuple[SearchResult, ...]
    corrected: str = ""
    nearest: tuple[SearchResult, ...] = ()
    openings: tuple[Article, ...] = ()
    is_about_clinic: bool = False


def search_articles(text: str, *, now: datetime) -> SearchResults:
    """Return the public articles at `now` that contain all terms of `text`, the best first.

    The last word may be a prefix. If no article matches, mistyped words are corrected to words of the articles. At most
    six queries.
    """
    terms = read_terms(text)
    if not terms:
        return SearchResults(())
    if is_about_clinic([correct_word(term.shown, known=CLINIC_WORDS) for term in terms]):
        return SearchResults((), is_about_clinic=True)
    if found := _find(terms, " & ", now=now):
        return SearchResults(found)
    known = article_words(now=now)
    corrected = [term if term.is_phrase else _corrected(term, known) for term in terms]
    if corrected != terms and (found := _find(corrected, " & ", now=now)):
        return SearchResults(found, " ".join(term.shown for term in corrected))
    if nearest := _find(corrected, " | ", now=now):
        return SearchResults((), nearest=nearest[:MOST_NEAREST])
    return SearchResults(
        (), openings=tuple(Article.objects.published(now=now).for_lists().filter(position=1)[:MOST_NEAREST])
    )


def _corrected(term: Term, known: frozenset[str]) -> Term:
    word = correct_word(term.shown, known=known)
    return Term(word, word)


def _find(terms: list[Term], joint: str, *, now: datetime) -> tuple[SearchResult, ...]:
    last = terms[-1].query if terms[-1].is_phrase else f"{terms[-1].query}:*"  # a prefix
    query = SearchQuery(
        joint.join([*(term.query for term in terms[:-1]), last]), config=SEARCH_CONFIG, search_type="raw"
    )
    headline = SearchHeadline(
        "prose",
        query,
        config=SEARCH_CONFIG,
        start_sel=_OPENS,
        stop_sel=_CLOSES,
        min_words=12,
        max_words=30,
        max_fragments=2,
        fragment_delimiter=" … ",
    )
    rows = (
        Article.objects.published(now=now)
        .for_lists()
        .filter(search=query)
        .annotate(rank=SearchRank(F("search"), query), headline=headline, emergency_number=_EMERGENCY_NUMBER)
        .order_by("-rank", "title")[:MOST_FOUND]
    )
    return tuple(SearchResult(article, split_headline(_format_headline(article))) for article in rows)


def _format_headline(article: Any) -> str:
    """Return the excerpt of `article` with the emergency number filled in and with blocks separated.

    A heading must not run into the text below it.
    """
    filled = article.headline.replace(EMERGENCY_MARK, article.emergency_number or Clinic().emergency_number)
    return _BLOCK_ENDS.sub(lambda end: f"{end[1]}{end[2]}{' ' if end[1] else ' · '}", filled)


def split_headline(headline: str) -> tuple[tuple[str, bool], ...]:
    """Split an excerpt into (text, is a match) pieces."""
    pieces = []
    for number, part in enumerate(headline.split(_OPENS)):
        hit, _, rest = part.partition(_CLOSES) if number else ("", "", part)
        pieces += [(hit, True)] * bool(hit) + [(rest, False)] * bool(rest)
    return tuple(pieces)
