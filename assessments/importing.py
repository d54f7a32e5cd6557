"""Questionnaires and responses from FHIR files: refused with a reason, or stored with everything staff should know."""

import json
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max
from django.utils.text import slugify

from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.practice.models import Patient

from .calculation import try_calculations
from .checking import Problem
from .inspection import Warning, fullest_answers, inspect
from .models import Questionnaire, Response, ResponseStatus
from .parsing import DefinitionInvalid, parse_questionnaire
from .questionnaire import Questionnaire as ParsedQuestionnaire
from .r5 import R5Lossy, convert_r5
from .response_checking import check_response
from .responses import settle_import

MOST_BYTES = 3_000_000
DEEPEST = 40  # levels of JSON


class ImportRefused(ValueError):
    """The file cannot be asked; `link_id` names the item, if it is one, and `reason` says why."""

    def __init__(self, reason: str, link_id: str = ""):
        super().__init__(f"{link_id}: {reason}" if link_id else reason)
        self.reason, self.link_id = reason, link_id


class ResponseRefused(ValueError):
    """The response does not answer its questionnaire; `problems` say where and why."""

    def __init__(self, problems: tuple[Problem, ...]):
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


@dataclass(frozen=True)
class Imported:
    questionnaire: Questionnaire
    warnings: list[Warning]
    is_new: bool


def import_questionnaire(*, content: bytes, slug: str = "", now) -> Imported:
    """Store the FHIR Questionnaire in `content` as the next version under `slug`, unpublished.

    Without a slug its url or name gives one. The same definition again stores nothing. Raises ImportRefused.
    """
    definition, parsed = read_definition(read_json(content))
    if reason := try_calculations(parsed, fullest_answers(parsed)):
        raise ImportRefused(reason)
    slug = slug or _slug_of(definition)
    with transaction.atomic():
        stored, is_new = _store(definition, slug, now)
    return Imported(stored, inspect(definition, parsed), is_new)


def read_definition(resource: dict) -> tuple[dict, ParsedQuestionnaire]:
    """`resource` as an R4 Questionnaire, raw and read. Raises ImportRefused."""
    try:
        definition = convert_r5(resource)
        return definition, parse_questionnaire(definition)
    except (R5Lossy, DefinitionInvalid) as error:
        raise ImportRefused(error.reason, error.link_id) from None
    except (AttributeError, TypeError):
        raise ImportRefused("it is not built as FHIR says") from None


def publish_questionnaire(*, questionnaire: Questionnaire, by, now) -> None:
    """Ask patients this version from now on. Publishing again keeps the first instant."""
    changed = Questionnaire.objects.filter(pk=questionnaire.pk, published_at__isnull=True).update(published_at=now)
    if changed:
        record_access(actor=by, action=Action.EXECUTE, subject=questionnaire, patient_id=None, now=now)


@transaction.atomic
def import_response(*, questionnaire: Questionnaire, patient: Patient, resource: dict, by=None, now) -> Response:
    """Keep the answers of a FHIR QuestionnaireResponse as `patient`'s, flags and scores worked out here.

    Raises ResponseRefused, with every fault, if it does not fit `questionnaire`.
    """
    checked = check_response(questionnaire.parsed, resource)
    if checked.problems:
        raise ResponseRefused(checked.problems)
    response = Response.objects.create(
        questionnaire=questionnaire, patient=patient, answers=checked.answers, created_at=now, saved_at=now
    )
    record_access(actor=by, action=Action.CREATE, subject=response, patient_id=patient.pk, now=now)
    is_finished = resource["status"] != ResponseStatus.IN_PROGRESS
    return settle_import(response=response, is_finished=is_finished, now=now)


def read_json(content: bytes) -> dict:
    """The JSON object in `content`. Raises ImportRefused for what is too large, too deep or none."""
    if len(content) > MOST_BYTES:
        raise ImportRefused(f"the file is larger than {MOST_BYTES // 1000} kB")
    try:
        read = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ImportRefused("the file is not JSON") from None
    if not isinstance(read, dict) or _depth(read) > DEEPEST or b"\\u0000" in content:
        raise ImportRefused("the file is not a FHIR resource we can read")
    return read


def _refuse_constant(name: str):
    raise ValueError(name)


def _depth(value, level: int = 1) -> int:
    if level > DEEPEST:
        return level
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max((_depth(child, level + 1) for child in children), default=level)


def _slug_of(definition: dict) -> str:
    name = definition.get("url", "").rstrip("/").rpartition("/")[2].rpartition(":")[2] or definition.get("name", "")
    slug = slugify(name or definition.get("title", ""))[:60]
    if not slug:
        raise ImportRefused("it has neither a url nor a name nor a title to be known by")
    return slug


def _store(definition: dict, slug: str, now) -> tuple[Questionnaire, bool]:
    same = Questionnaire.objects.filter(slug=slug, definition=definition).first()
    if same is not None:
        return same, False
    newest = Questionnaire.objects.filter(slug=slug).aggregate(newest=Max("version"))["newest"] or 0
    title = str(definition.get("title") or definition.get("name") or slug)[:120]
    stored = Questionnaire.objects.create(
        slug=slug, version=newest + 1, title=title, definition=definition, created_at=now
    )
    return stored, True
