"""Import questionnaires and responses from FHIR files, and publish questionnaires.

A file is refused with the reasons, or stored. The import of a questionnaire also returns notices for staff.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.text import slugify

from assessments.calculation.calculated_answers import try_calculations
from assessments.fhir.acceptance import check_new
from assessments.fhir.inspection import ImportNotice, fullest_answers, inspect, unsupported_patterns
from assessments.fhir.r5 import convert_r5
from assessments.fhir.response_checking import check_response
from assessments.fhir.strict_json import JsonRefused, load_json
from assessments.fhir.trial import try_pages, try_saving
from assessments.fhir_json.canonical import LOCAL, canonical_of
from assessments.fhir_json.canonical import LONGEST as LONGEST_CANONICAL
from assessments.fhir_json.parsing import parse_questionnaire
from assessments.intake.responses import settle_import
from assessments.known_questions import find_missing, known_of
from assessments.models import Questionnaire, Response, ResponseStatus
from assessments.questionnaire.checking import Problem
from assessments.questionnaire.model import InvalidQuestionnaire
from assessments.questionnaire.model import Questionnaire as ParsedQuestionnaire
from assessments.red_flag_rules.coverage import lost_questions
from assessments.red_flags.definitions import LONGEST_SLUG, find_shipped, free_slug, read_rules
from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.practice.models import Patient, User


class PublishRefused(ValueError):
    """The version lacks questions that the red-flag rules or our code read. `faults` describe them."""

    def __init__(self, faults: list[str]):
        super().__init__("; ".join(faults))
        self.faults = faults


class ResponseRefused(ValueError):
    """The response does not fit its questionnaire. `problems` have the linkIds and reasons."""

    def __init__(self, problems: tuple[Problem, ...]):
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


@dataclass(frozen=True)
class Imported:
    """A stored import. `earlier` is the newest version that was stored before under the same canonical url, if any."""

    questionnaire: Questionnaire
    notices: list[ImportNotice]
    is_new: bool
    earlier: Questionnaire | None = None


def import_questionnaire(*, content: bytes, slug: str = "", now: datetime) -> Imported:
    """Store the FHIR Questionnaire in `content`, unpublished, as the first or next version of its canonical url.

    `slug` is its short name on our site. Without it, a next version keeps that of the earlier ones, and a first version
    gets an unused one made from its url, name or title. Idempotent: the same definition is stored once.
    Raises InvalidQuestionnaire, also after a failed trial run (`trial`), and then stores nothing.
    """
    try:
        resource = load_json(content)
    except JsonRefused as error:
        raise InvalidQuestionnaire(str(error)) from None
    definition, parsed = read_definition(resource)
    if reason := try_calculations(parsed, fullest_answers(parsed)) or try_pages(parsed):
        raise InvalidQuestionnaire(reason)
    with transaction.atomic():
        stored, is_new, earlier = _store(definition, slug, now)
        if is_new and (fault := try_saving(stored, now=now)):
            raise InvalidQuestionnaire(fault)
    return Imported(stored, [*_compare_with_earlier(stored, earlier), *inspect(definition, parsed)], is_new, earlier)


def read_definition(resource: dict) -> tuple[dict, ParsedQuestionnaire]:
    """Return `resource`, a new file, as an R4 Questionnaire, raw and parsed. Raises InvalidQuestionnaire."""
    try:
        definition = convert_r5(resource)
        parsed = parse_questionnaire(definition)
    except (AttributeError, TypeError):
        raise InvalidQuestionnaire("it does not follow FHIR") from None
    if faults := unsupported_patterns(parsed):
        link_id, fault = faults[0]
        raise InvalidQuestionnaire(f"its regex {fault}", link_id)
    check_new(definition, parsed)
    return definition, parsed


def missing_questions(questionnaire: Questionnaire) -> list[str]:
    """Return a text for each question that the rules or our code read in the shipped version and `questionnaire` lacks.

    Empty for a questionnaire that does not come with the product.
    """
    shipped = find_shipped(questionnaire.canonical)
    if shipped is None:
        return []
    known = known_of(questionnaire.canonical)
    lost = lost_questions(read_rules(), shipped, questionnaire.parsed, first_pages=known.pages)
    return [*(find_missing(known, questionnaire.parsed) | lost).values()]


def publish_questionnaire(*, questionnaire: Questionnaire, by: User | None, now: datetime) -> None:
    """Publish this version to patients, and add an audit entry. Idempotent: publishing again changes nothing.

    Raises PublishRefused for a version that lacks a question that the red-flag rules or our code read.
    """
    if faults := missing_questions(questionnaire):
        raise PublishRefused(faults)
    changed = Questionnaire.objects.filter(pk=questionnaire.pk, published_at__isnull=True).update(published_at=now)
    if changed:
        record_access(actor=by, action=Action.EXECUTE, subject=questionnaire, patient_id=None, now=now)


@transaction.atomic
def import_response(
    *, questionnaire: Questionnaire, patient: Patient, resource: dict, by: User | None = None, now: datetime
) -> Response:
    """Store the answers of a FHIR QuestionnaireResponse as `patient`'s, and calculate flags and scores.

    Raises ResponseRefused, with every problem, if it does not fit `questionnaire`.
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


def _store(definition: dict, slug: str, now: datetime) -> tuple[Questionnaire, bool, Questionnaire | None]:
    """Store a definition unless it is stored. Return (the row, whether it is new, the newest version before).

    Raises InvalidQuestionnaire for a url that is too long, a short name that belongs to another questionnaire or
    differs from that of the earlier versions, or a file without anything to make a short name from.
    """
    canonical = canonical_of(definition, slug=slug or _slug_of(definition))
    if len(canonical) > LONGEST_CANONICAL:
        raise InvalidQuestionnaire(f"its url is longer than {LONGEST_CANONICAL} characters")
    named = Questionnaire.objects.filter(slug=slug).first() if slug else None
    if named is not None and named.canonical != canonical:
        raise InvalidQuestionnaire(f"the short name {slug} belongs to another questionnaire ({named.canonical})")
    if not slug and canonical.startswith(LOCAL):
        slug = free_slug(_slug_of(definition), is_local=True)
        canonical = canonical_of(definition, slug=slug)
    versions = Questionnaire.objects.of(canonical)
    earlier = versions.first()
    if earlier is not None and slug and earlier.slug != slug:
        raise InvalidQuestionnaire(f"this questionnaire is known here as {earlier.slug}")
    if same := versions.filter(definition=definition).first():
        return same, False, earlier
    name = str(definition.get("title") or definition.get("name") or slug or canonical)[:120]
    stored = Questionnaire.objects.create(
        slug=earlier.slug if earlier else slug or free_slug(_slug_of(definition)),
        version=earlier.version + 1 if earlier else 1,
        title=name,
        definition=definition,
        created_at=now,
    )
    return stored, True, earlier


def _compare_with_earlier(stored: Questionnaire, earlier: Questionnaire | None) -> list[ImportNotice]:
    """Return notices of the version that the file becomes, and of questions that the rules or our code would miss.

    Empty for a first version, or if the newest version has the same definition.
    """
    if earlier is None or earlier == stored:
        return []
    text = f"becomes version {stored.version} of “{earlier.title}” ({stored.slug}), once you publish it"
    missing = [ImportNotice("missing", "", fault) for fault in missing_questions(stored)]
    return [ImportNotice("next version", "", text), *missing]


def _slug_of(definition: dict) -> str:
    """Return a short name from the end of the url, the name or the title. Raises InvalidQuestionnaire without one."""
    url = (definition.get("url") or "").partition("|")[0]
    name = url.rstrip("/").rpartition("/")[2].rpartition(":")[2] or definition.get("name", "")
    slug = slugify(name or definition.get("title", ""))[:LONGEST_SLUG]
    if not slug:
        raise InvalidQuestionnaire("it has no url, name or title to make a short name from")
    return slug
