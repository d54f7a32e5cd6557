"""The questionnaires and rules that come with the product, as JSON files.

Questionnaires are loaded as published versions; `store_definition` has the exception.
"""

import hashlib
import json
from datetime import datetime
from functools import cache
from pathlib import Path

from django.db import transaction

from assessments.fhir_json.canonical import LOCAL, canonical_of
from assessments.fhir_json.parsing import parse_once
from assessments.known_questions import KNOWN, find_missing
from assessments.models import Questionnaire
from assessments.questionnaire.model import InvalidQuestionnaire
from assessments.questionnaire.model import Questionnaire as ParsedQuestionnaire
from assessments.red_flag_rules.coverage import misread_numbers
from assessments.red_flag_rules.evaluation import Rules, parse_rules, unknown_questions
from assessments.red_flag_rules.format import RulesInvalid

FOLDER = Path(__file__).parent.parent / "definitions"
RULES_FILE = "red_flags_v1.json"
LONGEST_SLUG = 60


class VersionAnswered(Exception):
    """A shipped file differs from its stored version, which patients have answered. It needs a new version number."""


@cache
def read_rules() -> Rules:
    """Return the red-flag rules in force."""
    return parse_rules(json.loads((FOLDER / RULES_FILE).read_text()))


@cache
def digest_rules() -> str:
    """Return the SHA-256 of the rules in force. Whitespace and the order of keys in the file do not matter."""
    content = json.dumps(json.loads((FOLDER / RULES_FILE).read_text()), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


@cache
def shipped_definitions() -> tuple[dict, ...]:
    """Return every questionnaire that comes with the product, as FHIR JSON."""
    return tuple(json.loads(path.read_text()) for path in sorted(FOLDER.glob("*_intake_v*.json")))


@cache
def find_shipped(canonical: str) -> ParsedQuestionnaire | None:
    """Return the newest shipped version of `canonical`, parsed; None if it does not come with the product."""
    versions = [one for one in shipped_definitions() if one["url"] == canonical]
    return parse_once(max(versions, key=lambda one: int(one["version"]))) if versions else None


def load_questionnaires(*, now: datetime) -> list[Questionnaire]:
    """Store and publish every questionnaire that comes with the product, as in `store_definition`. Idempotent.

    Raises InvalidQuestionnaire for a file that cannot be asked or that lacks a question named in code, RulesInvalid for
    rules that read a question that is not asked, VersionAnswered for a version changed after a patient answered it.
    """
    _check_rules_against([parse_once(definition) for definition in shipped_definitions()])
    _check_known_questions()
    with transaction.atomic():
        return [store_definition(definition, now=now) for definition in shipped_definitions()]


def _check_rules_against(questionnaires: list[ParsedQuestionnaire]) -> None:
    """Check that `questionnaires` contain all questions and answers that the rules read. Raises RulesInvalid.

    Questions that the rules compare as numbers must be numeric.
    """
    items = [item for questionnaire in questionnaires for item in questionnaire.items.values()]
    options: dict[str, set[str]] = {}
    for item in items:
        options.setdefault(item.link_id, set()).update(option.code for option in item.options)
    if faults := unknown_questions(read_rules(), options):
        raise RulesInvalid(f"the red-flag rules read questions that are not asked: {', '.join(faults)}")
    if faults := misread_numbers(read_rules(), items):
        raise RulesInvalid(f"the red-flag rules compare questions that are not numbers: {', '.join(faults)}")


def _check_known_questions() -> None:
    """Check that the newest shipped versions have the questions that are named in code. Raises InvalidQuestionnaire."""
    for canonical, known in KNOWN.items():
        newest = find_shipped(canonical)
        faults = find_missing(known, newest) if newest else {"": "no file has this url"}
        if faults:
            raise InvalidQuestionnaire(f"{canonical}: {'; '.join(faults.values())} (see known_questions.py)")


def store_definition(definition: dict, *, now: datetime) -> Questionnaire:
    """Store and publish one FHIR Questionnaire as a version of its url. Raises VersionAnswered.

    A stored version with the same number in its file is overwritten unless it has a response. If the clinic has
    imported another file under this version number, that version is unchanged, and the shipped file is stored
    unpublished, under the next number, for staff to publish.
    """
    slug, version = definition["url"].rpartition(":")[2], int(definition["version"])
    versions = Questionnaire.objects.of(canonical_of(definition, slug=slug))
    if same := versions.filter(definition=definition).first():
        return same
    stored = versions.filter(version=version).first()
    if stored is None or stored.definition.get("version") != definition["version"]:
        newest = versions.first()
        return Questionnaire.objects.create(
            slug=newest.slug if newest else free_slug(slug),
            version=newest.version + 1 if stored and newest else version,
            title=definition["title"],
            definition=definition,
            published_at=now if stored is None else None,
            created_at=now,
        )
    if stored.responses.exists():
        raise VersionAnswered(f"{slug} version {version}")
    stored.title, stored.definition = definition["title"], definition
    stored.save(update_fields=["title", "definition"])
    return stored


def free_slug(slug: str, *, is_local: bool = False) -> str:
    """Return `slug`, with a number appended if it belongs to another questionnaire.

    A file without a url (`is_local`) is identified by its slug, so it may reuse the slug of another such file.
    """
    owners = dict(Questionnaire.objects.values_list("slug", "canonical"))
    names = (slug, *(f"{slug[: LONGEST_SLUG - 5]}-{number}" for number in range(2, len(owners) + 3)))
    return next(name for name in names if owners.get(name) in (None, LOCAL + name if is_local else None))
