"""Read the exercises from their file, and choose those that the site may show."""

import functools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from django.urls import reverse

from clinic.practice.models import Clinic
from education.drawing.exercises.catalog import DRAWINGS
from education.drawing.pictures import Drawing

EXERCISE_FILE = Path(__file__).resolve().parent.parent / "content" / "exercises.toml"
MOST_FOUND = 6


@dataclass(frozen=True)
class Evidence:
    """What a study says about an exercise. `doi` is empty if the source has none."""

    says: str
    source: str
    doi: str = ""


@dataclass(frozen=True)
class Exercise:
    """An exercise in words for patients. `dose` is empty where no source gives one; `reviewed_by` until sign-off."""

    code: str
    group: str
    version: int
    purpose: str
    feel: str
    cues: tuple[str, ...]
    easier: str
    harder: str
    dose: str = ""
    equipment: str = ""
    watch: str = ""
    mistake: str = ""
    reviewed_by: str = ""
    evidence: tuple[Evidence, ...] = ()

    @property
    def drawing(self) -> Drawing:
        return DRAWINGS[self.code]

    @property
    def name(self) -> str:
        return self.drawing.name

    def get_absolute_url(self) -> str:
        return reverse("education:exercise", args=[self.code])


@functools.cache
def read_exercises() -> dict[str, Exercise]:
    """Return all exercises by code, in the order of the file. Raises TypeError for an unknown field."""
    return {
        code: Exercise(
            code=code,
            **{
                **entry,
                "cues": tuple(entry["cues"]),
                "evidence": tuple(Evidence(**line) for line in entry.get("evidence", [])),
            },
        )
        for code, entry in tomllib.loads(EXERCISE_FILE.read_text()).items()
    }


def public_exercises(*, clinic: Clinic) -> list[Exercise]:
    """Return the exercises that the site shows: signed ones, and others if the clinic shows unreviewed articles."""
    return [one for one in read_exercises().values() if one.reviewed_by or clinic.shows_unreviewed_articles]


def find_exercises(text: str, *, clinic: Clinic) -> list[Exercise]:
    """Return the public exercises whose name, group or purpose contains all words of `text` as beginnings of words."""
    words = re.findall(r"\w+", text.lower())
    if not words:
        return []
    found = []
    for exercise in public_exercises(clinic=clinic):
        theirs = re.findall(r"\w+", f"{exercise.name} {exercise.group} {exercise.purpose}".lower())
        if all(any(own.startswith(word) for own in theirs) for word in words):
            found.append(exercise)
    return found[:MOST_FOUND]
