"""Begin, save page by page and complete a response. Flags are raised on every saved page, not at the end."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from assessments.calculation.calculated_answers import add_calculated, initial_answers
from assessments.intake.revisions import hash_page
from assessments.models import Flag, Questionnaire, Response, ResponseStatus, Score
from assessments.questionnaire.checking import check_page, keep_fitting
from assessments.questionnaire.enablement import enabled_items, keep_enabled
from assessments.questionnaire.model import TEXT_TYPES, InvalidQuestionnaire, Item
from assessments.questionnaire.model import Questionnaire as ParsedQuestionnaire
from assessments.questionnaire.scoring import score_response
from assessments.questionnaire.typed_answers import clean_text
from assessments.red_flag_rules.evaluation import UNSURE, evaluate, without_unsure
from assessments.red_flags.alerts import alert_staff
from assessments.red_flags.definitions import read_rules
from assessments.red_flags.flags import apply_flags
from assessments.red_flags.left_unsure import plan_second_evaluation
from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.practice.models import Clinic, Patient

logger = logging.getLogger(__name__)


class PageUnknown(LookupError):
    """The questionnaire has no page with this linkId."""


class ResponseUnfinished(Exception):
    """A page is not complete; `page` is the first such page."""

    def __init__(self, page: Item):
        super().__init__("there are questions left")
        self.page = page


def start_published_response(*, questionnaire_slug: str, patient: Patient, now: datetime) -> Response | None:
    """Begin a response to the newest published version. Return None if the slug is blank or no version is published."""
    if not questionnaire_slug:
        return None
    questionnaire = Questionnaire.objects.published().filter(slug=questionnaire_slug).first()
    if questionnaire is None:
        logger.warning("No questionnaire is published as %s; run load_definitions.", questionnaire_slug)
        return None
    return create_response(questionnaire=questionnaire, patient=patient, now=now)


def create_response(*, questionnaire: Questionnaire, patient: Patient, now: datetime) -> Response:
    """Begin a response to this version, published or not, with its initial answers. Add an audit entry."""
    try:
        initial = initial_answers(questionnaire.parsed)
    except InvalidQuestionnaire:  # stored by an older import that accepted such a file
        logger.exception("The questionnaire %s cannot be asked.", questionnaire.pk)
        initial = {}
    response = Response.objects.create(questionnaire=questionnaire, patient=patient, answers=initial, created_at=now)
    record_access(actor=None, action=Action.CREATE, subject=response, patient_id=patient.pk, now=now)
    return response


def pages_asked(response: Response) -> list[Item]:
    """Return the pages with a question for this patient, in order."""
    parsed = response.questionnaire.parsed
    enabled = enabled_items(parsed, response.answers)
    return [page for page in parsed.pages if any(one.is_answerable and one.link_id in enabled for one in page.walk())]


def first_open_page(response: Response) -> Item | None:
    """Return the first page that was not saved as complete or has a problem now; None if there is no such page."""
    for page in pages_asked(response):
        if page.link_id not in response.saved_pages or check_page(
            response.questionnaire.parsed, page, response.answers
        ):
            return page
    return None


@transaction.atomic
def save_page(
    *, response: Response, page: str, answers: dict[str, list], not_yet_shown: Iterable[str] = (), now: datetime
) -> list[Flag]:
    """Save the answers of one page ({linkId: [value, …]}), update flags and alert staff. Return new and worse flags.

    Each valid answer is saved even if others are invalid; an invalid answer does not replace the earlier one. An empty
    list deletes an answer. Questions omitted from `answers` are unchanged. `not_yet_shown` are the follow-ups that
    these answers enable and that were not on the page. A "not sure" with such a follow-up raises no flag yet, but a
    second evaluation is planned. A completed response gets new scores, or is reopened if the page is now incomplete.
    Raises PageUnknown, or KeyError for a question that is not on the page.
    """
    locked = _lock(response)
    parsed = locked.questionnaire.parsed
    current = next((one for one in parsed.pages if one.link_id == page), None)
    if current is None:
        raise PageUnknown(page)
    kept = add_calculated(parsed, merge_answers(locked.answers, answers, current, now=in_clinic_zone(now)))
    awaiting = awaiting_follow_up(parsed, not_yet_shown, before=locked.answers)
    locked.answers, locked.saved_at = kept, now
    locked.saved_pages = [name for name in locked.saved_pages if name != page]
    if not check_page(parsed, current, kept):
        locked.saved_pages.append(page)
    if locked.status == ResponseStatus.COMPLETED:
        _settle_completed(locked, now=now)
    locked.save()
    record_access(actor=None, action=Action.UPDATE, subject=locked, patient_id=locked.patient_id, now=now)
    _copy_state(locked, response)
    fired = evaluate(read_rules(), without_unsure(keep_enabled(parsed, kept), awaiting))
    raised = apply_flags(response=response, fired=fired, now=now)
    alert_staff(response=response, raised=raised, now=now)
    if any(UNSURE in kept.get(name, []) for name in awaiting):
        plan_second_evaluation(response=response, now=now)
    return raised


@transaction.atomic
def save_page_as_seen(
    *,
    response: Response,
    page: Item,
    answers: dict[str, list],
    revision: str,
    not_yet_shown: Iterable[str] = (),
    now: datetime,
) -> list[str]:
    """Save a page like `save_page`, but do not overwrite answers that are newer than `revision`.

    `revision` is the hash from `revisions` with which the page was opened, or empty if unknown. If newer answers
    conflict with the sent ones, only additions are saved (`only_additions`), so that no checked warning sign is lost.
    Return the linkIds of the questions in conflict.
    """
    locked = _lock(response)
    is_stale = revision not in ("", hash_page(locked.pk, page, locked.answers))
    conflicts = find_conflicts(locked.answers, answers, page) if is_stale else []
    if conflicts:
        answers = only_additions(locked.answers, answers, page)
    save_page(response=response, page=page.link_id, answers=answers, not_yet_shown=not_yet_shown, now=now)
    return conflicts


def find_conflicts(stored: dict[str, list], given: dict[str, list], page: Item) -> list[str]:
    """Return the linkIds on `page` whose answer in `stored` would be replaced, reduced or deleted by `given`."""
    kept = merge_answers(stored, only_additions(stored, given, page), page)
    return [name for name, values in given.items() if stored.get(name) and _as_set(kept[name]) != _as_set(values)]


def _as_set(values: list) -> set[str]:
    return {repr(value) for value in values}


def awaiting_follow_up(
    parsed: ParsedQuestionnaire, not_yet_shown: Iterable[str], *, before: dict[str, list]
) -> set[str]:
    """Return the questions whose "not sure" enables one of `not_yet_shown`, except those answered so `before`, too."""
    opened = (condition for name in not_yet_shown for condition in parsed.items[name].conditions)
    asked = {condition.question for condition in opened if condition.value == UNSURE}
    return {name for name in asked if UNSURE not in before.get(name, [])}


@transaction.atomic
def complete_response(*, response: Response, now: datetime) -> Response:
    """Complete `response`: delete answers to disabled questions, store scores, add an audit entry.

    Raises ResponseUnfinished.

    Pages can still be saved until the link expires. That updates the scores, or reopens an incomplete response.
    """
    locked = _lock(response)
    page = first_open_page(locked)
    if page is not None:
        raise ResponseUnfinished(page)
    locked.answers = keep_enabled(locked.questionnaire.parsed, locked.answers)
    locked.status, locked.completed_at = ResponseStatus.COMPLETED, locked.completed_at or now
    _store_scores(locked, now=now)
    locked.save()
    record_access(actor=None, action=Action.EXECUTE, subject=locked, patient_id=locked.patient_id, now=now)
    _copy_state(locked, response)
    return response


def settle_import(*, response: Response, is_finished: bool, now: datetime) -> Response:
    """Set the flags of an imported response and alert staff; if it is finished, also set its scores and status."""
    parsed = response.questionnaire.parsed
    response.saved_pages = [page.link_id for page in parsed.pages] if is_finished else []
    if is_finished:
        response.answers = keep_enabled(parsed, response.answers)
        response.status, response.completed_at = ResponseStatus.COMPLETED, now
        _store_scores(response, now=now)
    response.save()
    raised = apply_flags(
        response=response, fired=evaluate(read_rules(), keep_enabled(parsed, response.answers)), now=now
    )
    alert_staff(response=response, raised=raised, now=now)
    return response


def only_additions(stored: dict[str, list], given: dict[str, list], page: Item) -> dict[str, list]:
    """Return the part of `given` that adds to `stored`: answers to unanswered questions, and more options in a list."""
    lists = {item.link_id for item in page.walk() if item.repeats and item.options}
    added = {name: values for name, values in given.items() if values and (name in lists or name not in stored)}
    return {
        name: [*stored.get(name, []), *(one for one in values if one not in stored.get(name, []))]
        for name, values in added.items()
    }


def merge_answers(
    stored: dict[str, list], given: dict[str, list], page: Item, *, now: datetime | None = None
) -> dict[str, list]:
    """Return `stored` with the valid answers of `given` to questions on `page`; an empty list deletes an answer.

    An answer that is already stored is not checked against relative limits.
    Raises KeyError for a question that patients cannot answer on `page`.
    """
    on_page = {item.link_id: item for item in page.walk() if item.is_answerable}
    kept = dict(stored)
    for link_id, values in given.items():
        item = on_page[link_id]
        values = [_clean(item, value) for value in values]
        fitting = keep_fitting(item, values, now=None if values == stored.get(link_id) else now)
        if not values:
            kept.pop(link_id, None)
        elif fitting:
            kept[link_id] = fitting
    return kept


def in_clinic_zone(now: datetime) -> datetime:
    """Convert `now` to the clinic's zone, whose day is "today" for relative limits. One query."""
    return now.astimezone(Clinic.objects.current().zone)


def _clean(item: Item, value: Any) -> Any:
    """Return `value`; a text is cleaned as in `clean_text`."""
    if isinstance(value, dict) and isinstance(value.get("text"), str):
        return value | {"text": clean_text(value["text"])}
    return clean_text(value) if isinstance(value, str) and item.type in TEXT_TYPES else value


def _lock(response: Response) -> Response:
    locked = Response.objects.select_for_update().get(pk=response.pk)
    locked.questionnaire = response.questionnaire  # saves a query; it is immutable once answered
    return locked


def _settle_completed(response: Response, *, now: datetime) -> None:
    """Reopen a completed response if a page is now incomplete, or else update its scores."""
    if first_open_page(response) is not None:
        response.status = ResponseStatus.IN_PROGRESS
    else:
        _store_scores(response, now=now)


def _store_scores(response: Response, *, now: datetime) -> None:
    results = score_response(
        response.questionnaire.parsed, keep_enabled(response.questionnaire.parsed, response.answers)
    )
    stored = {score.measure: score for score in response.scores.all()}
    for result in results:
        score = stored.get(result.measure) or Score(response=response, measure=result.measure)
        value = None if result.value is None else str(result.value)
        score.result, score.scored_at = {"value": value, "answered": result.answered, "of": result.of}, now
        score.save()


def _copy_state(source: Response, target: Response) -> None:
    for field in ("answers", "saved_pages", "status", "saved_at", "completed_at"):
        setattr(target, field, getattr(source, field))
