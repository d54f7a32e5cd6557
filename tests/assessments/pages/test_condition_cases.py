"""The server's side of the enableWhen cases; tests/journeys/test_intake_journey.py has the script's."""

import json

from django.http import QueryDict

from assessments.forms.page_form import PageForm
from assessments.questionnaire.controls import options_of
from tests.assessments.condition_cases import CASES, KEYS, build_page


def sent_page() -> QueryDict:
    """Return the page of the cases as a browser sends it, with CRLF line ends."""
    sent = QueryDict(mutable=True)
    for number, case in enumerate(CASES):
        sent.appendlist("seen", f"q{number}")
        typed = case.typed if isinstance(case.typed, list) else [case.typed.replace("\n", "\r\n")]
        sent.setlist(f"q{number}", typed)
        if case.other:
            sent[f"q{number}.other"] = case.other
    return sent


def test_table_has_every_type_and_every_operator():
    assert {case.kind for case in CASES} == set(KEYS)
    assert {case.operator for case in CASES} == {"exists", "=", "!=", ">", "<", ">=", "<="}
    assert len(CASES) >= 60


def test_server_asks_the_follow_up_of_each_case_as_expected():
    questionnaire, page = build_page()
    form = PageForm(sent_page(), questionnaire=questionnaire, page=page, answers={})
    form.is_valid()
    asked = {name for name in form.enabled if name.startswith("f")}
    assert asked == {f"f{number}" for number, case in enumerate(CASES) if case.is_asked}
    assert {item.link_id for item in form.newly_asked} == asked


def test_script_gets_a_text_to_compare_with_and_only_codes_that_can_be_checked():
    questionnaire, page = build_page()
    form = PageForm(questionnaire=questionnaire, page=page, answers={})
    for number, case in enumerate(CASES):
        (told,) = json.loads(form.describe_conditions(questionnaire.items[f"f{number}"]))["conditions"]
        assert isinstance(told["value"], bool if told["operator"] == "exists" else str), case
        if isinstance(case.typed, list):
            assert set(case.typed) <= {value for value, _ in options_of(questionnaire.items[f"q{number}"])}, case
