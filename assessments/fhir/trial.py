"""A trial run of a questionnaire before it is stored: show, start, save empty and filled in, summarize, export.

A file can pass every check and still fail on a patient's page or at a booking. Therefore an invented patient answers it
once, with the same code as real patients, in a transaction that is rolled back. Pages are rendered before that
transaction, because a large questionnaire takes seconds.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from crispy_forms.utils import render_crispy_form
from django.db import InterfaceError, OperationalError, transaction
from django.http import QueryDict

from assessments.calculation.calculated_answers import initial_answers
from assessments.fhir.exporting import export_response
from assessments.fhir.inspection import fullest_answers
from assessments.forms.page_form import PageForm
from assessments.intake.responses import ResponseUnfinished, complete_response, create_response, save_page
from assessments.intake.summary import read_summary
from assessments.models import Questionnaire
from assessments.questionnaire.controls import write_answer
from assessments.questionnaire.model import Item
from assessments.questionnaire.model import Questionnaire as ParsedQuestionnaire
from clinic.practice.models import Patient


class _Undo(Exception):
    """Rolls back the transaction of the trial."""


class _TrialFailed(Exception):
    """A step of the trial failed; the message is for staff."""


def try_pages(parsed: ParsedQuestionnaire) -> str:
    """Render all pages of `parsed`, and the first page also as sent empty and filled in. Does not use the database.

    Return a sentence about the first failure, or "".
    """
    try:
        with _step("it cannot be begun, so no visit with it could be booked"):
            answers = initial_answers(parsed)
        for page in parsed.pages:
            _show(parsed, page, answers)
        for sent in ({}, fullest_answers(parsed)):
            _show(parsed, parsed.pages[0], answers, sent)
    except _TrialFailed as failed:
        return str(failed)
    return ""


def try_saving(questionnaire: Questionnaire, *, now: datetime) -> str:
    """Start, save, complete, summarize and export a response to `questionnaire`, and roll back.

    The first page is saved empty, then the first and the last page filled in. A response that is still unfinished is
    not a failure.

    Return a sentence about the first failure, or "".
    """
    try:
        with transaction.atomic():
            _ask(questionnaire, now)
            raise _Undo
    except _Undo:
        return ""
    except _TrialFailed as failed:
        return str(failed)


def _ask(questionnaire: Questionnaire, now: datetime) -> None:
    with _step("it cannot be begun, so no visit with it could be booked"):
        name = f"Trial {uuid.uuid4()}"
        patient = Patient.objects.create(name=name, email="trial@invalid.example", is_provisional=True, created_at=now)
        response = create_response(questionnaire=questionnaire, patient=patient, now=now)
    parsed = questionnaire.parsed
    for page, sent in ((parsed.pages[0], {}), *((page, fullest_answers(parsed)) for page in _ends(parsed.pages))):
        with _step(f"{_name(page)} cannot be saved {'filled in' if sent else 'empty'}"):
            form = _form(parsed, page, response.answers, sent)
            form.is_valid()
            save_page(response=response, page=page.link_id, answers=form.given, now=now)
    with _step("its answers cannot be finished"), suppress(ResponseUnfinished):
        complete_response(response=response, now=now)
    with _step("its answers cannot be read in the summary"):
        read_summary(response=response, by=None, now=now)
    with _step("its answers cannot be exported"):
        export_response(response)


def _ends(pages: tuple[Item, ...]) -> tuple[Item, ...]:
    """Return the first and the last page; one page if they are the same."""
    return pages[:1] + pages[1:][-1:]


def _show(
    parsed: ParsedQuestionnaire, page: Item, answers: dict[str, list], sent: dict[str, list] | None = None
) -> None:
    how = "shown" if sent is None else "sent filled in" if sent else "sent empty"
    with _step(f"{_name(page)} cannot be {how}"):
        form = _form(parsed, page, answers, sent)
        form.is_valid()
        render_crispy_form(form)


def _name(page: Item) -> str:
    return f"the page “{page.text or page.link_id}”"


def _form(parsed: ParsedQuestionnaire, page: Item, answers: dict[str, list], given: dict[str, list] | None) -> PageForm:
    """Return the form of `page`: unbound, or bound to the answers `given` as a browser would send them."""
    sent = None
    if given is not None:
        sent = QueryDict(mutable=True)
        for item in (item for item in page.walk() if item.is_answerable):
            sent.appendlist("seen", item.link_id)
            values = given.get(item.link_id, [])
            sent.setlist(item.link_id, [write_answer(value) for value in values])
    return PageForm(sent, questionnaire=parsed, page=page, answers=answers)


@contextmanager
def _step(failure: str) -> Iterator[None]:
    """Raise _TrialFailed(`failure`) for any error in the step except those of a database that is down or busy."""
    try:
        yield
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        raise _TrialFailed(failure) from error
