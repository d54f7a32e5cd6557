"""The server's side of the table of conditions; the script's is in tests/journeys/test_intake_journey.py."""

import json

from django.http import QueryDict

from assessments.forms.page_form import PageForm
from assessments.questionnaire.controls import options_of
from tests.assessments.condition_cases import CASES, KEYS, build_page


def sent_page() -> QueryDict:
    """The page of the cases as a browser sends it: line ends in two characters."""
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


def test_server_asks_the_follow_up_of_every_case_as_the_table_says():
    questionnaire, page = build_page()
    form = PageForm(sent_page(), questionnaire=questionnaire, page=page, answers={})
    form.is_valid()
    asked = {name for name in form.enabled if name.startswith("f")}
    assert asked == {f"f{number}" for number, case in enumerate(CASES) if case.is_asked}
    assert {item.link_id for item in form.newly_asked} == asked


def test_script_is_told_one_text_to_compare_with_and_only_codes_that_can_be_ticked():
    questionnaire, page = build_page()
    form = PageForm(questionnaire=questionnaire, page=page, answers={})
    for number, case in enumerate(CASES):
        (told,) = json.loads(form.describe_conditions(questionnaire.items[f"f{number}"]))["conditions"]
        assert isinstance(told["value"], bool if told["operator"] == "exists" else str), case
        if isinstance(case.typed, list):
            assert set(case.typed) <= {value for value, _ in options_of(questionnaire.items[f"q{number}"])}, case
