"""Reading grade of English text, and phrases that articles must not use. Pure."""

import re

EASIEST_GRADE, HARDEST_GRADE = 6.0, 8.0  # easy for most adults without being childish

# Patterns of phrases that diagnose, promise or overclaim. The value completes the sentence “…” for the author.
FORBIDDEN = {
    r"\byou(?:'ve| have)\b": "sounds like a diagnosis",
    r"\bdiagnos\w+": "is up to the clinician",
    r"\bwill (?:heal|recover|be healed)\b": "is a promise",
    r"\bheals? in\b": "is a promise",
    r"\bsafe(?:ly|ty)?\b": "is a promise",
    r"\bprevents?\b": "is a promise",
    r"\bcures?\b": "is a promise",
    r"\bguarantee\w*": "is a promise",
    r"\b(?:10|ten)[ -]?(?:%|per ?cent)[ -]rule (?:proves|works|is proven)": "is not what the trials found",
}

_SENTENCE_ENDS = re.compile(r"(?<![.!?])[.!?]++(?=[\s\"”’)]|$)|\n+")  # possessive ++: linear on long runs
_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*")
_VOWELS = re.compile(r"[aeiouy]+")
_HEARD_APART = re.compile(
    r"i[ao](?!u)|iou|iu|ie(?=nc|t)|[^gqs]u(?:a|e[lnrt])|[aeiou]eo|eo(?!p)|no[aeo]p|[eou]ing$|(?:ide|are|cre)(?=a|t)"
)
_HEARD_TOGETHER = re.compile(r"(?:[cgstx]|ll)io|[ct]ia|[gq]ue$|some|tient|cient")
_SILENT_ENDING = re.compile(
    r"(?:[^aeiouyl]|[aeiouy]l)e$|(?:[^aeiouytdl]|[aeiouyl]l)ed$|(?:[^aeiouylhcsgxz]|[aeiouy]l)es$"
)


def count_syllables(word: str) -> int:
    """Return the number of syllables of an English word, estimated from its spelling.

    These are its vowel groups, split where two vowels are heard apart, minus a silent ending.
    """
    word = re.sub(r"['’](?:s|re|ve|ll|d|t|m)$", "", word.lower())
    heard_apart = len(_HEARD_APART.findall(word)) - len(_HEARD_TOGETHER.findall(word))
    return max(len(_VOWELS.findall(word)) + heard_apart - bool(_SILENT_ENDING.search(word)), 1)


def reading_grade(prose: str) -> float:
    """Return the Flesch-Kincaid grade of `prose`, rounded to 1 decimal; 0 without words.

    A line break, such as after a list item, also ends a sentence.
    Kincaid 1975, https://apps.dtic.mil/sti/citations/ADA006655.
    """
    sentences = [words for part in _SENTENCE_ENDS.split(prose) if (words := _WORD.findall(part))]
    words = [word for sentence in sentences for word in sentence]
    if not words:
        return 0.0
    syllables = sum(map(count_syllables, words))
    return round(max(0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59, 0), 1)


def find_forbidden(prose: str) -> list[str]:
    """Return a sentence with the reason for each forbidden pattern in `prose`; only its first match is quoted."""
    prose = prose.replace("’", "'")
    return [
        f"“{match[0]}” {why}."
        for pattern, why in FORBIDDEN.items()
        for match in [re.search(pattern, prose, re.IGNORECASE)]
        if match
    ]
