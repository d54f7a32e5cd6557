"""The questionnaires and rules that come with the product: JSON files beside this module, loaded as published versions."""

import hashlib
import json
from functools import cache
from pathlib import Path

from django.db import transaction

from .models import Questionnaire
from .parsing import parse_questionnaire
from .red_flags import Rules, RulesInvalid, parse_rules, unknown_questions

FOLDER = Path(__file__).parent / "definitions"
RULES_FILE = "red_flags_v1.json"


class VersionAnswered(Exception):
    """A shipped file differs from a version that patients have already answered: it needs a new version number."""


@cache
def read_rules() -> Rules:
    """The red-flag rules in force."""
    return parse_rules(json.loads((FOLDER / RULES_FILE).read_text()))


@cache
def digest_rules() -> str:
    """SHA-256 of what the rules in force say, however the file is laid out."""
    content = json.dumps(json.loads((FOLDER / RULES_FILE).read_text()), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def load_questionnaires(*, now) -> list[Questionnaire]:
    """Store and publish every questionnaire that comes with the product; running it again changes nothing.

    Raises parsing.DefinitionInvalid or red_flags.RulesInvalid for a file that cannot be asked, VersionAnswered for one
    that was changed after somebody answered it.
    """
    definitions = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*_intake_v*.json"))]
    options: dict[str, set[str]] = {}
    for item in (item for definition in definitions for item in parse_questionnaire(definition).items.values()):
        options.setdefault(item.link_id, set()).update(option.code for option in item.options)
    if faults := unknown_questions(read_rules(), options):
        raise RulesInvalid(f"the red-flag rules ask about what nobody is asked: {', '.join(faults)}")
    with transaction.atomic():
        return [store_definition(definition, now=now) for definition in definitions]


def store_definition(definition: dict, *, now) -> Questionnaire:
    """Store and publish one FHIR Questionnaire under the last part of its url and its version. Raises VersionAnswered."""
    slug, version = definition["url"].rpartition(":")[2], int(definition["version"])
    stored, is_new = Questionnaire.objects.get_or_create(
        slug=slug,
        version=version,
        defaults={"title": definition["title"], "definition": definition, "published_at": now, "created_at": now},
    )
    if is_new or stored.definition == definition:
        return stored
    if stored.responses.exists():
        raise VersionAnswered(f"{slug} version {version}")
    stored.title, stored.definition = definition["title"], definition
    stored.save(update_fields=["title", "definition"])
    return stored
