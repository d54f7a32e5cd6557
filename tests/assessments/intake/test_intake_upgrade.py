"""Upgrade of a clinic with answers to the first intake: nothing is lost, and no patient has to start again."""

import json

import pytest

from assessments.fhir.exporting import export_response
from assessments.intake.responses import (
    complete_response,
    first_open_page,
    pages_asked,
    save_page,
    start_published_response,
)
from assessments.intake.trend import count_other_versions
from assessments.known_questions import SCREEN_PAGES
from assessments.models import Questionnaire, Response
from assessments.questionnaire.readable import read_sections
from assessments.red_flags.definitions import FOLDER, load_questionnaires, store_definition
from tests.assessments.answering import QUIET
from tests.world import NOW

pytestmark = pytest.mark.django_db
THEN = QUIET | {
    "on.event": ["hill repeats"],
    "run.race": ["no"],
    "bone.periods": ["not-relevant"],
    "med.painkillers": ["no"],
    "goal.1": ["run to the lighthouse"],
    "goal.1.now": [4],
}


def save_pages(response, answers, pages=None):
    for page in pages or response.questionnaire.parsed.pages:
        asked = [item.link_id for item in page.walk() if item.is_question and item.link_id in answers]
        save_page(response=response, page=page.link_id, answers={name: answers[name] for name in asked}, now=NOW)


def look(response):
    fresh = Response.objects.get(pk=response.pk)
    return export_response(fresh), read_sections(fresh.questionnaire.parsed, fresh.answers)


@pytest.fixture
def first_version(db):
    """The first version of the intake, as stored before the upgrade."""
    definition = json.loads((FOLDER / "hip_running_intake_v1.json").read_text())
    return store_definition(definition, now=NOW)


@pytest.fixture
def answered(first_version, alice):
    response = start_published_response(questionnaire_slug=first_version.slug, patient=alice, now=NOW)
    save_pages(response, THEN)
    return complete_response(response=response, now=NOW)


@pytest.fixture
def half_way(first_version, bob):
    response = start_published_response(questionnaire_slug=first_version.slug, patient=bob, now=NOW)
    save_pages(response, THEN, response.questionnaire.parsed.pages[:4])
    return response


def test_answered_first_version_is_unchanged_when_the_second_is_loaded(answered, first_version):
    before = look(answered)
    loaded = load_questionnaires(now=NOW)
    assert [(one.slug, one.version) for one in loaded][1:] == [("hip-running-intake", 1), ("hip-running-intake", 2)]
    assert load_questionnaires(now=NOW) == loaded
    assert look(answered) == before
    assert Questionnaire.objects.get(pk=first_version.pk).definition == first_version.definition
    save_page(response=answered, page="goals", answers={"goal.1.now": [8]}, now=NOW)
    assert (answered.progress, answered.scores.get().result["value"]) == ("done", "8.0")


def test_started_response_keeps_its_version_and_is_flagged_by_current_rules(half_way):
    load_questionnaires(now=NOW)
    response = Response.objects.get(pk=half_way.pk)
    assert first_open_page(response).link_id == "pain"
    save_pages(response, THEN | {"med.painkillers": ["yes"], "bone.fuel": ["yes"]}, pages_asked(response)[4:])
    assert complete_response(response=response, now=NOW).questionnaire.version == 1
    assert {flag.rule_id for flag in response.flags.all()} == {"RF22", "RF39"}


def test_new_response_uses_version_2_and_is_not_compared_with_version_1(answered, alice):
    load_questionnaires(now=NOW)
    response = start_published_response(questionnaire_slug="hip-running-intake", patient=alice, now=NOW)
    assert response.questionnaire.version == 2
    save_pages(response, QUIET)
    complete_response(response=response, now=NOW)
    assert count_other_versions(response) == 1


def test_started_screen_fits_the_second_version(first_intake, intake):
    """A visitor's answers are kept in the session, by linkId and code, until a visit is booked."""
    for name in SCREEN_PAGES:
        before, after = (next(page for page in one.pages if page.link_id == name) for one in (first_intake, intake))
        codes = [
            [(item.link_id, [option.code for option in item.options], item.conditions) for item in page.walk()]
            for page in (before, after)
        ]
        assert codes[0] == codes[1]
