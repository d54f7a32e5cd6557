"""Match the patterns of uploaded questionnaires with RE2, in time linear in the length of the text. Pure.

RE2's \\w and \\d match ASCII only. Patients' names have other letters, so the Unicode classes are spelled out here.
https://github.com/google/re2/wiki/Syntax
"""

from functools import lru_cache
from typing import Protocol

import re2


class Pattern(Protocol):
    """A pattern compiled by RE2."""

    def fullmatch(self, text: str) -> object | None: ...


LONGEST_PATTERN = 200
MOST_MEMORY = 4 << 20  # bytes of a compiled pattern; \w{1,100} in all scripts fits
SPACES = [code for code in range(0x3001) if chr(code).isspace()]

WORD, DIGIT, SPACE = r"\p{L}\p{N}_", r"\p{Nd}", "".join(f"\\x{{{code:x}}}" for code in SPACES)
NO_SPACE = "".join(
    f"\\x{{{before + 1:x}}}-\\x{{{after - 1:x}}}"
    for before, after in zip([-1, *SPACES], [*SPACES, 0x110000], strict=True)
    if after - before > 1
)
# Translations of each escape outside and inside brackets. None: RE2 has no equivalent.
ESCAPES = {
    "w": (f"[{WORD}]", WORD),
    "W": (f"[^{WORD}]", None),
    "d": (f"[{DIGIT}]", DIGIT),
    "D": (r"\P{Nd}", r"\P{Nd}"),
    "s": (f"[{SPACE}]", SPACE),
    "S": (f"[{NO_SPACE}]", NO_SPACE),
    "Z": (r"\z", None),
    "b": (None, r"\x08"),
    "B": (None, None),
}


class PatternUnsupported(ValueError):
    """RE2 cannot match the pattern. The message is the reason, worded to follow "its regex".

    It is not an InvalidQuestionnaire, because a stored questionnaire is asked without checking such a pattern.
    """


def fits_pattern(pattern: str, text: str) -> bool:
    """Return whether `pattern` matches the whole of `text`, as FHIR requires. Raises PatternUnsupported."""
    return compile_pattern(pattern).fullmatch(text) is not None


@lru_cache(maxsize=500)
def compile_pattern(pattern: str) -> Pattern:
    """Compile `pattern` for RE2.

    Raises PatternUnsupported if it is too long, or has back-references, look-around or other syntax that RE2 lacks.
    """
    if len(pattern) > LONGEST_PATTERN:
        raise PatternUnsupported(f"is longer than {LONGEST_PATTERN} characters")
    options = re2.Options()
    options.log_errors, options.max_mem = False, MOST_MEMORY
    try:
        return re2.compile(_translate(pattern), options=options)
    except (re2.error, UnicodeEncodeError) as error:
        raise PatternUnsupported(_describe(error)) from None


def _translate(pattern: str) -> str:
    """Return `pattern` with its escapes expanded for RE2, and with {,3} as {0,3}."""
    written, place, in_brackets = [], 0, False
    while place < len(pattern):
        one, after = pattern[place], pattern[place + 1 : place + 2]
        place += 1
        if one == "\\":
            written.append(_translate_escape(after, in_brackets))
            place += 1
        elif one == "[" and not in_brackets:
            in_brackets = True
            opening = "[^" if after == "^" else "["
            place += len(opening) - 1
            if pattern[place : place + 1] == "]":  # a "]" in first place is part of the set
                opening += r"\]"
                place += 1
            written.append(opening)
        elif one == "{" and after == "," and not in_brackets:
            written.append("{0")
        else:
            in_brackets = in_brackets and one != "]"
            written.append(one)
    return "".join(written)


def _translate_escape(letter: str, in_brackets: bool) -> str:
    written = ESCAPES.get(letter, ("\\" + letter,) * 2)[in_brackets]
    if written is None:
        raise PatternUnsupported(f"has \\{letter} where it is not supported{' (in brackets)' if in_brackets else ''}")
    return written


def _describe(error: Exception) -> str:
    message = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else ""
    if any(sign in message for sign in ("(?=", "(?!", "(?<")):
        return "looks ahead or behind, which is not supported"
    if (message.startswith("invalid escape sequence: \\") and message[-1:].isdigit()) or "(?P" in message:
        return "refers back to a group, which is not supported"
    return f"cannot be read: {message}" if message else "has characters that cannot be encoded"
