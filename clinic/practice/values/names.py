"""Normalize and check names that people type. Pure."""

import re
import unicodedata

# Characters that leave no mark on a page (Unicode's Default_Ignorable_Code_Point): zero-width spaces, soft hyphens,
# byte order marks, bidirectional controls, variation selectors, fillers, tags.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
INVISIBLE = re.compile(f"[{_INVISIBLE}]")
INVISIBLE_ENDS = re.compile(rf"^[\s{_INVISIBLE}]+|[\s{_INVISIBLE}]+$")
_JOINERS = "\u200c\u200d"  # control how letters join in Persian and Indic scripts: part of the spelling between letters
_BLANKS = ("Cc", "Zl", "Zp", "Zs")
_BRAILLE_BLANK = "\u2800"

NO_NAME = re.compile(
    r"://|[<>@＜＞＠]|\bwww\.", re.IGNORECASE
)  # URLs, addresses and markup, which would end up in emails


class NameInvalid(ValueError):
    """The text is not a name. The message says why, for the reader."""


def normalize_name(name: str) -> str:
    """Return `name` with composed accents and single spaces, and without invisible characters.

    Two spellings of the same characters become equal strings. Control characters become spaces: pasted text may have
    them, and emails and calendar files must not.
    """
    composed = unicodedata.normalize("NFC", name)
    kept = (_seen(composed, at) for at in range(len(composed)))
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


def _seen(text: str, at: int) -> str:
    one = text[at]
    if one == _BRAILLE_BLANK or unicodedata.category(one) in _BLANKS:
        return " "
    if one in _JOINERS:
        return one if _is_letter(text[at - 1 : at]) and _is_letter(text[at + 1 : at + 2]) else ""
    return "" if INVISIBLE.match(one) else one


def _is_letter(one: str) -> bool:
    return bool(one) and unicodedata.category(one)[0] in "LM" and not INVISIBLE.match(one)


def clean_name(text: str) -> str:
    """Return `text` as normalized by `normalize_name`.

    Raises NameInvalid if it has no letter, has a URL, an address or markup, or has lone surrogates (which the database
    cannot store) or unassigned characters.
    """
    name = normalize_name(text)
    if any(unicodedata.category(one) in ("Cs", "Cn") for one in name):
        raise NameInvalid("Part of this name did not arrive as text. Type it again instead of pasting it.")
    if NO_NAME.search(name):
        raise NameInvalid("Enter only the name, without “<”, “>”, “@” or a web address.")
    if not any(unicodedata.category(one)[0] == "L" for one in name):
        raise NameInvalid("Enter a name with at least one letter.")
    return name
