"""Password rules after NIST SP 800-63B-4, section 3.1.1: length, and a list of what attackers try first; no others.

15 characters is its minimum for a password used without a second step, which an editor may do. The list is local: the
30,000 most common passwords of breaches in the zxcvbn library, with the clinic's and the person's own words, and the
variations (digits, letters replaced, years, keyboard runs) that guessing programs try.
"""

import re

from django.core.exceptions import ValidationError
from zxcvbn import zxcvbn

from clinic.practice.models import Clinic, User

MOST_GUESSED_LENGTH = 72  # zxcvbn's time grows with the square of the length
FEWEST_GUESSES = 10**10  # about zxcvbn's best score: out of reach of an offline attack on a slow hash
FEWEST_LETTERS = 6  # besides the clinic's and the person's own words
OWN_WORDS = ("runclinic", "clinic", "running", "runner", "physical", "therapy", "therapist", "password")
_WORD = re.compile(r"[^\W_]{3,}")


class GuessableValidator:
    """Rejects a password that needs fewer than FEWEST_GUESSES guesses."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raise ValidationError if the password is easy to guess."""
        about = [Clinic.objects.current().name, *([user.name, user.email] if user else [])]
        words = {word for text in about for word in _WORD.findall(text.lower())} | set(OWN_WORDS)
        found = zxcvbn(password[:MOST_GUESSED_LENGTH], user_inputs=sorted(words))
        if found["guesses"] < FEWEST_GUESSES or _letters_besides(words, password) < FEWEST_LETTERS:
            raise ValidationError(
                "This password is easy to guess: it is on lists of stolen passwords, or close to one. "
                "Use four or five words that do not belong together.",
                code="password_guessable",
            )

    def get_help_text(self) -> str:
        return "Passwords that are easy to guess are rejected."


def _letters_besides(words: set[str], password: str) -> int:
    """Return how many letters of `password` remain without `words`, longest first."""
    rest = password.lower()
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "")
    return sum(letter.isalpha() for letter in rest)
