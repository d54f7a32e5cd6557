"""Fit text into one text message: at most LIMIT septets of the GSM 03.38 alphabet. Pure."""

import unicodedata
from collections.abc import Mapping

from clinic.outbox.text.placeholders import fill

LIMIT = 160
SHORTEST_NAME = 7  # a clinic name is not cut to fewer characters: it would not be recognized
_BASIC = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_DOUBLE = set("^{}\\[~]|€")  # two septets each
_PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "ł": "l", "Ł": "L"})


class TextTooLong(ValueError):
    """The text does not fit into one message, even with a shortened clinic name."""


def to_gsm(text: str) -> str:
    """Return `text` in the GSM alphabet. Unknown accents are dropped, other unknown characters become "?"."""
    return "".join(_letter(letter) for letter in " ".join(text.translate(_PLAIN).split()))


def length(text: str) -> int:
    """Return the length of `text` in septets. `text` must be in the GSM alphabet."""
    return sum(2 if letter in _DOUBLE else 1 for letter in text)


def fit_text(template: str, values: Mapping[str, object]) -> str:
    """Return `template` with `values` filled in, in the GSM alphabet, to fit one message.

    A long clinic name is cut. Raises TextTooLong, or KeyError for a placeholder without a value.
    """
    clinic = to_gsm(str(values["clinic"]))
    while length(text := to_gsm(fill(template, {**values, "clinic": clinic}))) > LIMIT:
        if len(clinic) <= SHORTEST_NAME or "{clinic}" not in template:
            raise TextTooLong
        clinic = clinic[:-1].rstrip()
    return text


def _letter(letter: str) -> str:
    if letter in _BASIC or letter in _DOUBLE:
        return letter
    plain = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    return plain if plain and set(plain) <= _BASIC else "?"
