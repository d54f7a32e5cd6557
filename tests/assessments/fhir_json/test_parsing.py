import copy
import json
from dataclasses import FrozenInstanceError
from decimal import Decimal

import pytest

from assessments.calculation.calculated_answers import initial_answers
from assessments.fhir.inspection import inspect
from assessments.fhir_json.parsing import parse_once, parse_questionnaire
from assessments.questionnaire.model import InvalidQuestionnaire
from assessments.questionnaire.readable import estimate_minutes
from assessments.red_flags.definitions import FOLDER

YES_NO = [{"valueCoding": {"code": "yes"}}, {"valueCoding": {"code": "no"}}]


def asked(*items):
    return {"resourceType": "Questionnaire", "item": list(items)}


def when(question, operator="=", **answer):
    return [{"question": question, "operator": operator, **(answer or {"answerCoding": {"code": "yes"}})}]


CHOICE = {"linkId": "a", "type": "choice", "answerOption": YES_NO}


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ({"resourceType": "Patient"}, "not a FHIR Questionnaire"),
        (asked({"type": "string"}), "no linkId"),
        (asked({"linkId": "a", "type": "hologram"}), "hologram"),
        (asked({"linkId": "a", "type": "string"}, {"linkId": "a", "type": "string"}), "used twice"),
        (asked({"linkId": "a", "type": "choice"}), "no answer options"),
        (asked({"linkId": "a", "type": "string", "answerOption": YES_NO}), "not supported for the type string"),
        (asked({**CHOICE, "answerOption": YES_NO + YES_NO}), "offered twice"),
        (asked({"linkId": "a", "type": "string", "enableWhen": when("b")}), "not a question"),
        (asked(CHOICE, {"linkId": "b", "type": "string", "enableWhen": when("a", "~")}), "operator '~'"),
        (asked(CHOICE, {"linkId": "b", "type": "string", "enableWhen": when("a", ">")}), "cannot compare"),
        (asked(CHOICE, {"linkId": "b", "type": "string", "enableWhen": [*when("a"), *when("a")]}), "enableBehavior"),
        (
            asked(CHOICE, {"linkId": "b", "type": "string", "enableWhen": [{"question": "a", "operator": "="}]}),
            "exactly one",
        ),
        (asked(CHOICE, {"linkId": "b", "type": "string", "enableWhen": when("a", "exists")}), "unsupported"),
        (
            asked(
                {"linkId": "n", "type": "integer"},
                {"linkId": "b", "type": "string", "enableWhen": when("n", ">", answerString="x")},
            ),
            "not a valid answer to n",
        ),
        (
            asked({**CHOICE, "enableWhen": when("b")}, {**CHOICE, "linkId": "b", "enableWhen": when("a")}),
            "depends on itself",
        ),
        (asked({**CHOICE, "enableWhen": when("b"), "item": [{**CHOICE, "linkId": "b"}]}), "depends on itself"),
        (
            asked(
                {
                    "linkId": "n",
                    "type": "integer",
                    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/minValue", "valueString": "low"}],
                }
            ),
            "does not fit",
        ),
    ],
)
def test_definition_that_cannot_be_asked_is_refused_with_the_reason(definition, words):
    with pytest.raises(InvalidQuestionnaire, match=words):
        parse_questionnaire(definition)


def test_refusal_names_the_item():
    with pytest.raises(InvalidQuestionnaire) as refused:
        parse_questionnaire(asked({"linkId": "where", "type": "choice"}))
    assert refused.value.link_id == "where"


def test_extensions_are_read():
    item = {
        "linkId": "s",
        "type": "choice",
        "answerOption": [
            {
                "valueCoding": {
                    "code": "a",
                    "display": "Often",
                    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": 17}],
                },
                "extension": [
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive",
                        "valueBoolean": True,
                    }
                ],
            }
        ],
        "extension": [{"url": "urn:runclinic:why-we-ask", "valueString": "Because."}],
    }
    parsed = parse_questionnaire(asked(item)).items["s"]
    assert parsed.why == "Because."
    assert parsed.options[0].ordinal == Decimal(17)
    assert parsed.options[0].is_exclusive


def test_shipped_intake_is_short_and_explains_itself(intake):
    assert estimate_minutes(intake) <= 5
    assert len(intake.pages) == 10
    assert [item.link_id for item in intake.items.values() if item.is_question and not item.why] == []
    assert [item.link_id for item in intake.items.values() if item.is_question and not item.short] == []


def test_call_intake_is_very_short(call_intake):
    assert estimate_minutes(call_intake) <= 3


def test_large_questionnaire_is_parsed(intake):
    page = {"linkId": "p", "type": "group", "text": "P"}
    items = [
        {**copy.deepcopy(CHOICE), "linkId": f"q{number}", **({"enableWhen": when(f"q{number - 1}")} if number else {})}
        for number in range(800)
    ]
    parsed = parse_questionnaire(asked({**page, "item": items}))
    assert sum(item.is_question for item in parsed.items.values()) == 800


def moving(expression, url="minValue"):
    """Return a questionnaire with one date item whose limit is calculated by `expression`."""
    calculated = {
        "url": "http://hl7.org/fhir/StructureDefinition/cqf-calculatedValue",
        "valueExpression": {"language": "text/fhirpath", "expression": expression},
    }
    limit = {"url": f"http://hl7.org/fhir/StructureDefinition/{url}", "_valueDate": {"extension": [calculated]}}
    return {"resourceType": "Questionnaire", "item": [{"linkId": "day", "type": "date", "extension": [limit]}]}


def test_limit_relative_to_today_is_read():
    assert parse_questionnaire(moving("today() - 18 years")).items["day"].minimum == "today() - 18 years"
    assert parse_questionnaire(moving("today()", "maxValue")).items["day"].maximum == "today()"


def test_limit_that_cannot_be_calculated_is_named():
    definition = moving("%patient.birthDate")
    parsed = parse_questionnaire(definition)
    assert parsed.items["day"].minimum is None
    assert ("limit", "day") in {(warning.name, warning.link_id) for warning in inspect(definition, parsed)}


def test_entry_rules_apply_to_our_intakes_and_a_limit_in_the_file_takes_precedence(intake, first_intake):
    for version in (intake, first_intake):
        assert version.items["run.race_date"].minimum == "today()"
        assert version.items["on.date"].maximum == "today()"
    assert intake.items["guard.relation"].refused
    definition = json.loads((FOLDER / "hip_running_intake_v2.json").read_text())
    item = next(one for page in definition["item"] for one in page["item"] if one["linkId"] == "on.date")
    limit = {"url": "http://hl7.org/fhir/StructureDefinition/maxValue", "valueDate": "2026-01-01"}
    item.setdefault("extension", []).append(limit)
    assert parse_questionnaire(definition).items["on.date"].maximum == "2026-01-01"


@pytest.mark.parametrize("broken", [{"item": [{"linkId": "a", "type": "group", "item": [3]}]}, {"item": 3}])
def test_malformed_file_is_refused_without_a_code_name(broken):
    with pytest.raises(InvalidQuestionnaire, match="does not follow FHIR") as refused:
        parse_questionnaire({"resourceType": "Questionnaire", **broken})
    assert "Error" not in str(refused.value)


def test_parsed_definition_is_cached_until_the_definition_changes():
    definition = asked({**CHOICE, "type": "open-choice", "initial": [{"valueString": "Trail"}]})
    parsed = parse_once(definition)
    assert parse_once(copy.deepcopy(definition)) is parsed
    definition["item"][0]["text"] = "Where?"
    assert parse_once(definition).items["a"].text == "Where?"
    assert parsed.items["a"].text == ""


def test_cached_definition_is_immutable():
    parsed = parse_once(asked({**CHOICE, "type": "open-choice", "initial": [{"valueString": "Trail"}]}))
    with pytest.raises(TypeError):
        parsed.items["b"] = parsed.items["a"]
    with pytest.raises(FrozenInstanceError):
        parsed.items["a"].text = "Where?"
    initial_answers(parsed)["a"][0]["text"] = "Road"
    assert initial_answers(parsed) == {"a": [{"text": "Trail"}]}
