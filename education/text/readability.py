"""Reading grade of English text, and phrases that articles must not use. Pure."""

import re

EASIEST_GRADE, HARDEST_GRADE = 6.0, 8.0  # what most adults read with ease, and not as if it were for children

# A page for patients teaches; it does not examine, promise or frighten.
FORBIDDEN = {
    r"\byou(?:'ve| have)\b": "sounds as if the page had examined the reader",
    r"\bdiagnos\w+": "is the clinician's to make",
    r"\bwill (?:heal|recover|be healed)\b": "promises",
    r"\bheals? in\b": "promises",
    r"\bsafe(?:ly|ty)?\b": "promises",
    r"\bprevents?\b": "promises",
    r"\bcures?\b": "promises",
    r"\bguarantee\w*": "promises",
    r"\b(?:10|ten)[ -]?(?:%|per ?cent)[ -]rule (?:proves|works|is proven)": "is not what the trials found",
}

_SENTENCE_ENDS = re.compile(r"(?<![.!?])[.!?]++(?=[\s\"”’)]|$)|\n+")  # a long run is looked at once
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
    """Syllables of an English word, by its spelling: groups of vowels, split where two are heard, less a silent ending."""
    word = re.sub(r"['’](?:s|re|ve|ll|d|t|m)$", "", word.lower())
    heard_apart = len(_HEARD_APART.findall(word)) - len(_HEARD_TOGETHER.findall(word))
    return max(len(_VOWELS.findall(word)) + heard_apart - bool(_SILENT_ENDING.search(word)), 1)


def reading_grade(prose: str) -> float:
    """The Flesch-Kincaid grade of `prose`, to one decimal; 0 for nothing.

    A line, such as an item of a list, ends a sentence too.
    Kincaid 1975, https://apps.dtic.mil/sti/citations/ADA006655.
    """
    sentences = [words for part in _SENTENCE_ENDS.split(prose) if (words := _WORD.findall(part))]
    words = [word for sentence in sentences for word in sentence]
    if not words:
        return 0.0
    syllables = sum(map(count_syllables, words))
    return round(max(0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59, 0), 1)


def find_forbidden(prose: str) -> list[str]:
    """For each forbidden phrase of `prose`, a sentence that says why not."""
    prose = prose.replace("’", "'")
    return [
        f"“{match[0]}” {why}."
        for pattern, why in FORBIDDEN.items()
        for match in [re.search(pattern, prose, re.IGNORECASE)]
        if match
    ]
