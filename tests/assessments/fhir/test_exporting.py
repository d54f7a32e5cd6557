import json

import pytest
from fhir.resources.R4B.questionnaire import Questionnaire as FhirQuestionnaire
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse

from assessments.fhir.exporting import export_response
from assessments.intake.responses import complete_response, save_page
from assessments.red_flags.definitions import FOLDER
from tests.assessments.answering import QUIET
from tests.world import NOW

pytestmark = pytest.mark.django_db
ANSWERS = {
    **QUIET,
    "on.date": ["2026-11-02"],
    "on.sudden": ["pop"],
    "run.race_date": ["2027-04-19"],
}


@pytest.fixture
def exported(response, intake):
    for page in intake.pages:
        here = {name: values for name, values in ANSWERS.items() if intake.page_of[name] is page}
        save_page(response=response, page=page.link_id, answers=here, now=NOW)
    return export_response(complete_response(response=response, now=NOW))


def flatten(items):
    for item in items:
        yield item["linkId"], item.get("answer")
        yield from flatten(item.get("item", []))


def test_export_is_valid_fhir(exported, response):
    resource = QuestionnaireResponse.model_validate(exported)
    assert resource.status == "completed"
    assert resource.questionnaire == "urn:runclinic:questionnaire:hip-running-intake|2"
    assert json.loads(json.dumps(exported)) == exported


def test_export_has_answers_in_fhir_types(exported):
    found = dict(flatten(exported["item"]))
    assert found["rf.leg"] == [{"valueCoding": {"code": "none", "display": "None of these"}}]
    assert found["run.week_now"] == [{"valueDecimal": 12.5}]
    assert found["pain.now"] == [{"valueInteger": 2}]
    assert found["on.date"] == [{"valueDate": "2026-11-02"}]
    assert found["consent.care"] == [{"valueBoolean": True}]
    assert found["goal.other"] == [{"valueString": "run to the lighthouse"}]


def test_export_omits_unasked_questions_name_and_email(exported, alice):
    assert "on.sudden" not in dict(flatten(exported["item"]))
    assert alice.name not in json.dumps(exported)
    assert alice.email not in json.dumps(exported)


def test_empty_response_is_valid_fhir(response):
    assert QuestionnaireResponse.model_validate(export_response(response)).status == "in-progress"


@pytest.mark.parametrize("name", ["hip_running_intake_v1", "hip_running_intake_v2", "call_intake_v1"])
def test_shipped_questionnaire_is_valid_fhir(name):
    FhirQuestionnaire.model_validate(json.loads((FOLDER / f"{name}.json").read_text()))
