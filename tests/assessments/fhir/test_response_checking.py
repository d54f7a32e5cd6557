"""Imported responses: problems have a linkId and a reason, totals are recalculated, and exports import unchanged."""

import json
from copy import deepcopy
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse
from hypothesis import given, settings
from hypothesis import strategies as st

from assessments.calculation.calculated_answers import add_calculated
from assessments.calculation.response_items import write_items
from assessments.fhir.exporting import export_bundle, export_ndjson
from assessments.fhir.importing import ResponseRefused, import_questionnaire, import_response
from assessments.fhir.response_checking import check_response
from assessments.fhir_json.parsing import parse_questionnaire
from assessments.models import Flag, Response, StaffAlert
from assessments.questionnaire.checking import check_item
from assessments.questionnaire.enablement import keep_enabled
from assessments.questionnaire.model import CHOICE_TYPES
from tests.assessments.fhir_examples import EVERYTHING, FULL, answer, code, injury, respond
from tests.world import NOW

ZONE = ZoneInfo("America/New_York")
PARSED = parse_questionnaire(EVERYTHING)
YES = answer("yes", ("valueBoolean", True))
SCORES = {"linkId": "scores", "item": [answer("s1", code("some"))]}


def faults(*items, status="completed"):
    return [(one.link_id, one.reason) for one in check_response(PARSED, respond(*items, status=status)).problems]


def plain(*answers):
    return {"linkId": "plain", "item": list(answers)}


def test_valid_response_has_no_problem_and_is_exported_unchanged():
    checked = check_response(PARSED, FULL)
    assert checked.problems == ()
    QuestionnaireResponse.model_validate(FULL)
    again = {**FULL, "item": write_items(PARSED, checked.answers, zone=ZONE)}
    QuestionnaireResponse.model_validate(again)
    assert check_response(PARSED, again) == checked
    assert [one["linkId"] for one in again["item"]] == ["yes", "plain", "injury", "injury", "scores"]
    assert again["item"][2]["item"][2] == {
        "linkId": "spell",
        "text": "A spell",
        "item": [{"linkId": "weeks", "text": "Weeks off", "answer": [{"valueInteger": 2}]}],
    }


BASE = (YES, injury("shin"), SCORES)


@pytest.mark.parametrize(
    ("items", "fault"),
    [
        ((YES, injury("shin")), ("s1", "required")),
        ((injury("shin"), SCORES), ("yes", "required")),
        ((*BASE, answer("mystery", ("valueString", "x"))), ("mystery", "unknown")),
        ((YES, plain(answer("mystery", ("valueString", "x"))), injury("shin"), SCORES), ("mystery", "unknown")),
        ((YES, YES, injury("shin"), SCORES), ("yes", "twice")),
        ((YES, *[injury("shin")] * 4, SCORES), ("injury", "twice")),
        ((YES, plain(answer("int", ("valueString", "3"))), injury("shin"), SCORES), ("int", "type")),
        ((YES, plain(answer("int", ("valueInteger", True))), injury("shin"), SCORES), ("int", "type")),
        ((YES, plain(answer("int", ("valueInteger", 3.5))), injury("shin"), SCORES), ("int", "type")),
        ((YES, plain(answer("day", ("valueDate", "2026-02-30"))), injury("shin"), SCORES), ("day", "type")),
        ((YES, plain(answer("day", ("valueDateTime", "2026-02-03"))), injury("shin"), SCORES), ("day", "type")),
        ((YES, plain(answer("clock", ("valueTime", "25:00:00"))), injury("shin"), SCORES), ("clock", "type")),
        ((YES, plain(answer("dec", ("valueDecimal", 24.5))), injury("shin"), SCORES), ("dec", "above")),
        ((YES, plain(answer("dec", ("valueDecimal", -1))), injury("shin"), SCORES), ("dec", "below")),
        ((YES, plain(answer("word", ("valueString", "AB12345"))), injury("shin"), SCORES), ("word", "long")),
        ((YES, plain(answer("word", ("valueString", "ab"))), injury("shin"), SCORES), ("word", "pattern")),
        ((YES, plain(answer("number", ("valueInteger", 9))), injury("shin"), SCORES), ("number", "option")),
        ((YES, plain(answer("number", ("valueString", "1"))), injury("shin"), SCORES), ("number", "type")),
        ((YES, plain(answer("mass", ("valueQuantity", {"value": 9, "unit": "lb"}))), *BASE[1:]), ("mass", "unit")),
        ((YES, plain(answer("file", ("valueAttachment", {"title": "x"}))), *BASE[1:]), ("file", "unasked")),
        ((YES, plain(answer("int", ("valueInteger", 1), ("valueInteger", 2))), *BASE[1:]), ("int", "one")),
        ((YES, injury("shin"), {"linkId": "scores", "item": [answer("s1", code("always"))]}), ("s1", "option")),
        (
            (answer("yes", ("valueBoolean", False)), plain(answer("dec", ("valueDecimal", 7))), *BASE[1:]),
            ("dec", "disabled"),
        ),
        ((YES, {"linkId": "injury", "answer": [{"valueString": "x"}]}, SCORES), ("injury", "place")),
        ((answer("yes", ("valueBoolean", True), item=[SCORES]), injury("shin"), SCORES), ("yes", "place")),
        (
            (
                YES,
                injury("shin"),
                {"linkId": "scores", "item": [*SCORES["item"], answer("total", ("valueInteger", 13))]},
            ),
            ("total", "total"),
        ),
    ],
)
def test_problem_is_reported_with_its_link_id_and_reason(items, fault):
    assert fault in faults(*items)


def test_unfinished_response_may_have_unanswered_questions():
    assert faults(YES, status="in-progress") == []
    assert ("", "status") in faults(YES, status="entered-in-error")


@pytest.mark.parametrize(
    ("canonical", "is_ours"),
    [
        (EVERYTHING["url"], True),
        (f"{EVERYTHING['url']}|2026.1", True),
        (f"{EVERYTHING['url']}|2025.9", False),
        ("https://example.org/Questionnaire/other|2026.1", False),
        (7, True),
    ],
)
def test_response_to_another_questionnaire_or_version_is_reported(canonical, is_ours):
    problems = check_response(PARSED, {**FULL, "questionnaire": canonical}).problems
    assert [(one.link_id, one.reason) for one in problems] == ([] if is_ours else [("", "questionnaire")])


def test_required_question_of_every_copy_must_be_answered():
    second = {"linkId": "injury", "item": [{"linkId": "spell", "item": [answer("weeks", ("valueInteger", 2))]}]}
    assert ("what", "required") in faults(YES, injury("shin"), second, SCORES)


def test_stored_total_is_recalculated():
    wrong = deepcopy(FULL)
    wrong["item"][-1]["item"][2] = answer("total", ("valueInteger", 13))
    checked = check_response(PARSED, wrong)
    assert checked.answers["total"] == [3]
    assert [(one.link_id, one.reason) for one in checked.problems] == [("total", "total")]


def some_value(item):
    """Return a Hypothesis strategy for stored answers to `item`, most of them valid."""
    if item.type in CHOICE_TYPES:
        codes = st.sampled_from([option.code for option in item.options])
        return codes if item.type == "choice" else st.one_of(codes, st.just({"text": "Barefoot"}))
    return {
        "boolean": st.booleans(),
        "integer": st.integers(-5, 50),
        "decimal": st.integers(0, 30).map(lambda number: str(number / 2)),
        "quantity": st.integers(0, 300).map(lambda number: str(number / 2)),
        "date": st.dates().map(lambda day: day.isoformat()),
        "dateTime": st.just("2026-03-08T01:30:00-05:00"),
        "time": st.times().map(lambda clock: clock.replace(microsecond=0, tzinfo=None, fold=0).isoformat()),
        "url": st.just("https://example.org/a"),
    }.get(item.type, st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8))


@st.composite
def responses(draw):
    chosen = {}
    for item in PARSED.items.values():
        if item.is_question and not item.is_added and not item.calculated and draw(st.booleans()):
            size = 2 if item.repeats else 1
            values = draw(st.lists(some_value(item), min_size=1, max_size=size, unique_by=str))
            chosen[item.link_id] = values
    for item in PARSED.items.values():  # a copy exists if the question that opens it is answered
        chosen |= {item.link_id: [True]} if item.is_added and item.is_question and draw(st.booleans()) else {}
    return chosen


def naive_faults(answers):
    """Yield the problem of each enabled question, checked on its own."""
    kept = keep_enabled(PARSED, answers)
    for item in PARSED.items.values():
        if not item.is_question or item.is_added or item.calculated:
            continue
        given = kept.get(item.link_id, [])
        problem = check_item(item, given) if given else None
        if problem:
            yield (item.exported_id, problem.reason)


@settings(max_examples=150, deadline=None)
@given(responses())
def test_exported_answers_import_with_the_same_problems(answers):
    """Export the enabled answers and import them: same answers, and the problems of each question on its own."""
    kept = keep_enabled(PARSED, add_calculated(PARSED, answers))
    resource = respond(*write_items(PARSED, kept, zone=ZONE), status="in-progress")
    QuestionnaireResponse.model_validate(resource)
    checked = check_response(PARSED, resource)
    asked = {name: values for name, values in kept.items() if not PARSED.items[name].is_added}
    filled = [name for name in asked if "injury" not in name and "spell" not in name]
    for name in filled:
        if PARSED.items[name].source == "":
            assert checked.answers.get(name) == asked[name]
    written_twice = {item.exported_id for item in PARSED.items.values() if item.source}
    expected = sorted(one for one in naive_faults(kept) if one[0] not in written_twice)
    assert sorted((one.link_id, one.reason) for one in checked.problems if one.link_id not in written_twice) == expected


@pytest.fixture
def everything(loaded):
    return import_questionnaire(content=json.dumps(EVERYTHING).encode(), now=NOW).questionnaire


@pytest.mark.django_db
def test_import_stores_a_valid_response_and_nothing_of_an_invalid_one(everything, alice):
    kept = import_response(questionnaire=everything, patient=alice, resource=FULL, now=NOW)
    assert (kept.progress, kept.answers["total"]) == ("done", [3])
    with pytest.raises(ResponseRefused) as refused:
        import_response(questionnaire=everything, patient=alice, resource=respond(YES), now=NOW)
    assert ("s1", "required") in [(one.link_id, one.reason) for one in refused.value.problems]
    assert Response.objects.count() == 1


@pytest.mark.django_db
def test_imported_response_raises_flags_and_alerts_staff(loaded, alice, charlie):
    questionnaire = next(one for one in loaded if one.slug == "hip-running-intake")
    worry = {"linkId": "safety", "item": [answer("rf.leg", ("valueCoding", {"code": "saddle"}))]}
    import_response(questionnaire=questionnaire, patient=alice, resource=respond(worry, status="in-progress"), now=NOW)
    assert Flag.objects.get().rule_id == "RF01"
    assert StaffAlert.objects.get().level == "E"


@pytest.mark.django_db
def test_bulk_export_is_valid_fhir(everything, alice, bob, tmp_path):
    for patient in (alice, bob):
        import_response(questionnaire=everything, patient=patient, resource=FULL, now=NOW)
    rows = Response.objects.select_related("questionnaire")
    for line in export_ndjson(rows):
        QuestionnaireResponse.model_validate(json.loads(line))
    bundle = export_bundle(rows, now=NOW)
    assert len(Bundle.model_validate(bundle).entry) == 2
    call_command("export_responses", tmp_path / "all.ndjson", verbosity=0)
    assert len((tmp_path / "all.ndjson").read_text().splitlines()) == 2
    call_command("export_responses", tmp_path / "all.json", "--bundle", "--slug", "everything", verbosity=0)
    assert len(json.loads((tmp_path / "all.json").read_text())["entry"]) == 2


@pytest.mark.django_db
def test_command_reports_what_is_wrong(everything, alice, tmp_path):
    file = tmp_path / "r.json"
    file.write_text(json.dumps(respond(YES)))
    options = {"patient": str(alice.pk), "questionnaire": "everything:1"}
    with pytest.raises(CommandError, match="s1: required"):
        call_command("import_response", file, **options)
    file.write_text(json.dumps(FULL))
    call_command("import_response", file, **options)
    assert Response.objects.get().answers["s1"] == ["often"]
