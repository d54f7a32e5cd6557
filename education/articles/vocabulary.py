"""Known words, and the correction of mistyped ones.

An existing word is never corrected: "insurance" does not become "instance", even if no article contains "insurance".
"""

import gzip
from collections.abc import Iterable
from datetime import datetime
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from uuid import UUID

from rapidfuzz import process
from rapidfuzz.distance import OSA, Indel

from education.models import Article
from education.text.query_words import WORD

KNOWN_WORDS_FILE = Path(__file__).resolve().parent.parent / "known_words.txt"
SHORTEST, LONGEST = 4, 30  # letters in a word that may be corrected
TWO_SLIPS_FROM = 8  # letters; in a shorter word only one slip is corrected


@cache
def subject_words() -> frozenset[str]:
    """Return the words of KNOWN_WORDS_FILE, which are about the body, running and clinics."""
    lines = KNOWN_WORDS_FILE.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@cache
def _english() -> bytes:
    """Return pyspellchecker's English words as JSON text, `"word": frequency`.

    The JSON is not parsed, because that would take 39 MB per process.
    """
    return gzip.decompress(files("spellchecker").joinpath("resources", "en.json.gz").read_bytes())


def is_word(word: str) -> bool:
    """Whether `word`, in lower case, is an English word, a word of our subject, or contains a non-letter."""
    return word in subject_words() or not word.isalpha() or f'"{word}":'.encode() in _english()


def article_words(*, now: datetime) -> frozenset[str]:
    """Return all words of the public articles at `now`. One query; two after an article has changed."""
    out = Article.objects.published(now=now).order_by("pk")
    return _words_of(tuple(out.values_list("pk", "updated_at")))


@lru_cache(maxsize=2)
def _words_of(versions: tuple[tuple[UUID, datetime], ...]) -> frozenset[str]:
    texts = Article.objects.filter(pk__in=[pk for pk, _ in versions]).values_list("title", "summary", "prose")
    return frozenset(word for text in texts for word in WORD.findall(" ".join(text).lower()))


def correct_word(word: str, *, known: Iterable[str]) -> str:
    """Return the word of `known` nearest to `word`; `word` itself if it is a word or none is near enough.

    A slip is one letter inserted, missing or replaced, or two letters swapped. Nothing is corrected if a word of our
    subject is nearer than any of `known`: "plantr" does not become "plant".
    """
    known = frozenset(known)
    if word in known or not SHORTEST <= len(word) <= LONGEST or is_word(word):
        return word
    most = 2 if len(word) >= TWO_SLIPS_FROM else 1
    near = process.extract(word, known | subject_words(), scorer=OSA.distance, score_cutoff=most, limit=None)
    ranked = sorted(
        (slips, -Indel.normalized_similarity(word, other), other)
        for other, slips, _ in near
        if slips == 1 or other[0] == word[0]  # with two slips and another first letter, it is a different word
    )
    return ranked[0][2] if ranked and ranked[0][2] in known else word
