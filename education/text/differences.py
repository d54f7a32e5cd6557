"""Differences between two texts: line by line, and word by word inside a changed line. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_PIECES = re.compile(r"\s+|\w+|[^\w\s]")
MOST_PAIRS = 250_000  # of words or lines: SequenceMatcher takes quadratic time on repetitive texts


@dataclass(frozen=True)
class Piece:
    """A piece of text; its `kind` is "same", "added" or "removed"."""

    kind: str
    text: str


def compare_texts(before: str, after: str) -> list[list[Piece]]:
    """Return the changed lines, each as pieces in reading order. Unchanged and blank lines are omitted."""
    old, new = before.splitlines(), after.splitlines()
    changed = []
    for tag, old_from, old_to, new_from, new_to in _opcodes(old, new):
        if tag != "equal":
            changed += _compare_lines(old[old_from:old_to], new[new_from:new_to])
    return [pieces for pieces in changed if any(piece.text.strip() for piece in pieces)]


def _compare_lines(old: list[str], new: list[str]) -> list[list[Piece]]:
    """Compare lines pairwise by words; lines without a partner are removed or added as a whole."""
    pairs = [_compare_words(was, now) for was, now in zip(old, new, strict=False)]
    removed = [[Piece("removed", line)] for line in old[len(new) :]]
    added = [[Piece("added", line)] for line in new[len(old) :]]
    return pairs + removed + added


def _compare_words(before: str, after: str) -> list[Piece]:
    old, new = _PIECES.findall(before), _PIECES.findall(after)
    pieces = []
    for tag, old_from, old_to, new_from, new_to in _opcodes(old, new):
        if tag == "equal":
            pieces.append(Piece("same", "".join(old[old_from:old_to])))
            continue
        pieces.append(Piece("removed", "".join(old[old_from:old_to])))
        pieces.append(Piece("added", "".join(new[new_from:new_to])))
    return [piece for piece in pieces if piece.text]


def _opcodes(old: list[str], new: list[str]) -> Sequence[tuple[str, int, int, int, int]]:
    """Return the edit operations from `old` to `new`; one replacement if there are more than MOST_PAIRS pairs."""
    if old == new:
        return [("equal", 0, len(old), 0, len(new))]
    if len(old) * len(new) > MOST_PAIRS:
        return [("replace", 0, len(old), 0, len(new))]
    return SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
