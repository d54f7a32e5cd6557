"""The trial at import: a file that would fail on a patient's page or at a booking is refused."""

import pytest

from assessments.fhir.importing import import_questionnaire
from assessments.fhir.trial import try_pages, try_saving
from assessments.fhir_json.parsing import parse_questionnaire
from assessments.intake.responses import start_published_response
from assessments.models import Flag, Questionnaire, Response, StaffAlert
from assessments.questionnaire.model import InvalidQuestionnaire
from assessments.red_flags.definitions import load_questionnaires
from clinic.audit.models import AccessEvent
from clinic.outbox.models import Message
from clinic.practice.models import Patient
from tests.assessments.fhir_examples import EVERYTHING, calculated, extension, of, packed
from tests.world import NOW

pytestmark = pytest.mark.django_db
UNIT = extension("questionnaire-unit", valueCoding={"code": "[mi_us]", "display": "miles"})


def quantity(*initial, unit=None):
    item = {
        "linkId": "a",
        "type": "quantity",
        "text": "Distance",
        "initial": [{"valueQuantity": one} for one in initial],
    }
    return item | ({"extension": [unit]} if unit else {})


TWICE = {
    "linkId": "b",
    "type": "decimal",
    "text": "Twice",
    "extension": [calculated("%resource.item.where(linkId='a').answer.value.value * 2")],
}


@pytest.mark.parametrize("unit", [None, extension("questionnaire-unit", valueCoding={"code": "km", "display": "km"})])
def test_initial_unit_without_a_value_is_no_answer_and_the_questionnaire_can_be_started(loaded, alice, unit):
    definition = of(quantity({"unit": "km", "code": "km"}, unit=unit), TWICE)
    stored = import_questionnaire(content=packed(definition), now=NOW).questionnaire
    assert stored.parsed.items["a"].initial == () and stored.parsed.items["a"].unit == "km"
    Questionnaire.objects.filter(pk=stored.pk).update(published_at=NOW)
    assert start_published_response(questionnaire_slug="small", patient=alice, now=NOW).answers == {}


@pytest.mark.parametrize(
    ("item", "answers"),
    [
        (quantity({"value": 5, "unit": "miles"}, unit=UNIT), ["5"]),
        (quantity({"value": 5, "code": "[mi_us]"}, unit=UNIT), ["5"]),
        (quantity({"value": 5}), ["5"]),
        ({"linkId": "a", "type": "integer", "text": "Runs", "initial": [{"valueInteger": 3}]}, [3]),
        ({"linkId": "a", "type": "boolean", "text": "Well?", "initial": [{"valueBoolean": False}]}, [False]),
        (
            {
                "linkId": "a",
                "type": "open-choice",
                "text": "Shoes",
                "answerOption": [{"valueString": "Road"}],
                "initial": [{"valueString": "Barefoot"}],
            },
            [{"text": "Barefoot"}],
        ),
    ],
)
def test_valid_initial_value_is_the_first_answer(loaded, alice, item, answers):
    stored = import_questionnaire(content=packed(of(item)), now=NOW).questionnaire
    Questionnaire.objects.filter(pk=stored.pk).update(published_at=NOW)
    assert start_published_response(questionnaire_slug="small", patient=alice, now=NOW).answers == {"a": answers}


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (quantity({"value": 5, "unit": "km"}, unit=UNIT), "the unit of its initial value"),
        (quantity({"value": "far"}), "not a valid answer"),
        ({"linkId": "a", "type": "integer", "initial": [{"valueDecimal": 3.5}]}, "not a valid answer"),
        ({"linkId": "a", "type": "integer", "initial": [{"valueString": "three"}]}, "not a valid answer"),
        ({"linkId": "a", "type": "boolean", "initial": [{"valueString": "yes"}]}, "not a valid answer"),
        ({"linkId": "a", "type": "date", "initial": [{"valueDate": "2026"}]}, "not a valid answer"),
        ({"linkId": "a", "type": "string", "initial": [{"valueInteger": 3}]}, "not a valid answer"),
        (
            {
                "linkId": "a",
                "type": "choice",
                "answerOption": [{"valueString": "x"}],
                "initial": [{"valueCoding": {"code": "y"}}],
            },
            "not a valid answer",
        ),
        (
            {
                "linkId": "a",
                "type": "integer",
                "initial": [{"valueInteger": 30}],
                "extension": [extension("maxValue", valueInteger=10)],
            },
            "not a valid answer",
        ),
    ],
)
def test_invalid_initial_value_is_refused_and_the_item_is_named(item, words):
    with pytest.raises(InvalidQuestionnaire, match=f"a: .*{words}"):
        import_questionnaire(content=packed(of(item)), now=NOW)


@pytest.mark.parametrize(
    ("fails", "words"),
    [
        ("assessments.forms.page_form.render_to_string", "the page “A page” cannot be shown"),
        ("assessments.forms.page_form.check_page", "the page “A page” cannot be sent empty"),
        ("assessments.intake.responses.check_page", "the page “A page” cannot be saved empty"),
        ("assessments.intake.responses.initial_answers", "it cannot be begun, so no visit with it could be booked"),
        ("assessments.fhir.trial.initial_answers", "it cannot be begun, so no visit with it could be booked"),
        ("assessments.fhir.trial.read_summary", "its answers cannot be read in the summary"),
        ("assessments.fhir.trial.export_response", "its answers cannot be exported"),
    ],
)
def test_file_that_fails_in_the_trial_is_refused_with_the_reason(loaded, monkeypatch, fails, words):
    def fail(*args, **kwargs):
        raise RuntimeError("canary")

    page = {
        "linkId": "p",
        "type": "group",
        "text": "A page",
        "item": [{"linkId": "a", "type": "string", "text": "Say"}],
    }
    with monkeypatch.context() as patch:
        patch.setattr(fails, fail)
        with pytest.raises(InvalidQuestionnaire, match=words) as refused:
            import_questionnaire(content=packed(of(page)), now=NOW)
    assert "canary" not in str(refused.value)
    assert not Questionnaire.objects.filter(slug="small").exists()


def test_trial_leaves_no_rows(loaded, charlie):
    tables = (Patient, Response, Flag, StaffAlert, Message, AccessEvent)
    before = [table.objects.count() for table in tables]
    for questionnaire in loaded:  # the answers of the trial are an emergency in the hip intake
        assert try_saving(questionnaire, now=NOW) == ""
    assert [table.objects.count() for table in tables] == before


def test_all_shipped_questionnaires_pass_the_trial(loaded):
    assert load_questionnaires(now=NOW) == loaded
    for parsed in [*(questionnaire.parsed for questionnaire in loaded), parse_questionnaire(EVERYTHING)]:
        assert try_pages(parsed) == ""
