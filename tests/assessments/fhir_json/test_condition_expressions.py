"""enableWhenExpression is converted to enableWhen where both mean the same, and reported where they do not."""

from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessments.calculation.response_items import write_items
from assessments.fhir.inspection import inspect
from assessments.fhir_json.parsing import parse_questionnaire
from assessments.questionnaire.enablement import enabled_items
from assessments.questionnaire.expressions import evaluate
from tests.assessments.fhir_examples import SDC, of

OPTIONS = [{"valueCoding": {"code": "yes and no"}}, {"valueCoding": {"code": "b"}}]
ITEMS = [
    {"linkId": "b", "type": "boolean"},
    {"linkId": "n", "type": "integer"},
    {"linkId": "s", "type": "string"},
    {"linkId": "g", "type": "group", "item": [{"linkId": "c", "type": "choice", "answerOption": OPTIONS}]},
    {"linkId": "d", "type": "decimal"},
    {"linkId": "day", "type": "date"},
    {"linkId": "many", "type": "string", "repeats": True},
    {"linkId": "again", "type": "group", "repeats": True, "item": [{"linkId": "inner", "type": "integer"}]},
]


def asked_when(expression):
    value = {"language": "text/fhirpath", "expression": expression}
    extension = {"url": SDC + "sdc-questionnaire-enableWhenExpression", "valueExpression": value}
    return of(*ITEMS, {"linkId": "f", "type": "string", "extension": [extension]})


def at(link_id):
    return f"%resource.descendants().where(linkId = '{link_id}').answer"


SAME = [
    f"{at('b')}.value",
    f"{at('b')}.value = false",
    f"{at('n')}.value > 3",
    f"{at('n')}.value <= -2",
    f"{at('d')}.value >= 1.5",
    f"{at('s')}.value = 'to and fro or so'",
    f"{at('c')}.value.code = 'yes and no'",
    "%resource.item.where(linkId='g').item.where(linkId='c').answer.value.code = 'b'",
    f"{at('day')}.value < @2026-03-01",
    f"{at('s')}.exists()",
    f"{at('s')}.value.empty()",
    f"{at('n')}.exists().not()",
    f"{at('b')}.value and {at('n')}.value = 3 and {at('c')}.exists()",
    f"({at('b')}.value) or ({at('n')}.value = 3)",
]
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "b": st.sampled_from([[True], [False]]),
        "n": st.sampled_from([[-3], [-2], [3], [4]]),
        "s": st.sampled_from([["to and fro or so"], ["x"]]),
        "c": st.sampled_from([["yes and no"], ["b"]]),
        "d": st.sampled_from([["1.4"], ["1.5"], ["10"]]),
        "day": st.sampled_from([["2026-02-28"], ["2026-03-01"]]),
    },
)


@pytest.mark.parametrize("expression", SAME)
@settings(max_examples=40, deadline=None)
@given(answers=ANSWERS)
def test_item_is_asked_exactly_when_the_expression_is_true(expression, answers):
    definition = asked_when(expression)
    parsed = parse_questionnaire(definition)
    assert [one for one in inspect(definition, parsed) if one.name == "expression"] == []
    items = write_items(parsed, answers, zone=UTC)
    said = evaluate(expression, {"resourceType": "QuestionnaireResponse", "item": items}, {})
    assert ("f" in enabled_items(parsed, answers)) is (said is True)


@pytest.mark.parametrize(
    "expression",
    [
        f"{at('n')}.value != 3",  # without an answer: empty in FHIRPath, true in enableWhen
        f"{at('b')}.value and {at('n')}.value = 3 or {at('c')}.exists()",
        f"{at('b')}.value and ({at('n')}.value = 3 or {at('c')}.exists())",
        f"{at('many')}.value = 'x'",
        f"{at('inner')}.value = 3",
        f"{at('nowhere')}.exists()",
        f"{at('n')}.value = 'x'",
        f"{at('c')}.value = 'b'",
        "%resource.item.where(linkId='b').item.where(linkId='c').answer.exists()",
        "%context.item.where(linkId='n').answer.exists()",
        f"{at('n')}.value.sum() > 3",
        "true",
    ],
)
def test_unsupported_expression_is_named_and_the_item_is_always_asked(expression):
    definition = asked_when(expression)
    parsed = parse_questionnaire(definition)
    assert ("expression", "f") in [(one.name, one.link_id) for one in inspect(definition, parsed)]
    assert "f" in enabled_items(parsed, {})
