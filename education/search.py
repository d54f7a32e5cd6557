"""Readers find articles by words: whole or begun, with or without accents, and nearly right."""

import difflib
import re
from dataclasses import dataclass

from django.contrib.postgres.search import SearchHeadline, SearchQuery, SearchRank
from django.db import connection, transaction
from django.db.models import F

from .models import SEARCH_CONFIG, Article

MOST_WORDS = 8
MOST_FOUND = 20
_WORD = re.compile(r"[^\W_]+")
# Around a hit in an excerpt; characters that no text has, so that the excerpt can be taken apart and escaped.
_OPENS, _CLOSES = "\ue000", "\ue001"


@dataclass(frozen=True)
class Found:
    """An article, and the words around what was looked for: (text, whether it is a hit)."""

    article: Article
    excerpt: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Findings:
    """What a search came to. `corrected` are the words that were looked for instead, if the reader's were in no article."""

    found: tuple[Found, ...]
    corrected: str = ""


def search_articles(text: str, *, now) -> Findings:
    """The articles anybody may read at `now` that speak of every word of `text`, the best first; the last word may be begun.

    Where there is none, words are mended by those of the articles; failing that, any one of the words will do.
    """
    words = _WORD.findall(text.lower())[:MOST_WORDS]
    if not words:
        return Findings(())
    if found := _find(words, " & ", now=now):
        return Findings(found)
    mended = [_mend_word(word, now=now) for word in words]
    if mended != words and (found := _find(mended, " & ", now=now)):
        return Findings(found, " ".join(mended))
    return Findings(_find(mended, " | ", now=now), " ".join(mended) if mended != words else "")


def _find(words: list[str], joint: str, *, now) -> tuple[Found, ...]:
    query = SearchQuery(joint.join([*words[:-1], f"{words[-1]}:*"]), config=SEARCH_CONFIG, search_type="raw")
    marks = {
        "fragment_delimiter": " … ",
        "start_sel": _OPENS,
        "stop_sel": _CLOSES,
        "min_words": 12,
        "max_words": 30,
        "max_fragments": 2,
    }
    rows = (
        Article.objects.published(now=now)
        .for_lists()
        .filter(search=query)
        .annotate(
            rank=SearchRank(F("search"), query),
            headline=SearchHeadline("prose", query, config=SEARCH_CONFIG, **marks),
        )
        .order_by("-rank", "title")[:MOST_FOUND]
    )
    return tuple(Found(article, take_apart(article.headline)) for article in rows)


def take_apart(headline: str) -> tuple[tuple[str, bool], ...]:
    """An excerpt in pieces, each with whether it is a hit."""
    pieces = []
    for number, part in enumerate(headline.split(_OPENS)):
        hit, _, rest = part.partition(_CLOSES) if number else ("", "", part)
        pieces += [(hit, True)] * bool(hit) + [(rest, False)] * bool(rest)
    return tuple(pieces)


def _mend_word(word: str, *, now) -> str:
    """The word of an article that is spelled most like `word`; `word` itself where none comes near."""
    near = Article.objects.published(now=now).filter(prose__trigram_word_similar=word)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL pg_trgm.word_similarity_threshold = 0.4")  # one wrong letter in a short word
        texts = list(near.values_list("title", "prose")[:5])
    known = {known for text in texts for known in _WORD.findall(" ".join(text).lower())}
    close = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.7)
    return close[0] if close else word
