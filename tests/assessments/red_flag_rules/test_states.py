"""Yes, no and not asked: a summary never says more about a rule than was answered."""

import pytest
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from assessments.fhir.exporting import export_response
from assessments.intake.responses import complete_response, save_page, start_published_response
from assessments.intake.summary import read_summary
from assessments.questionnaire.enablement import keep_enabled
from assessments.red_flag_rules.evaluation import evaluate, holding_signals
from assessments.red_flag_rules.states import Asked, Judge, State, read_asked
from tests.assessments.answering import QUIET, of_page, save_all
from tests.assessments.red_flag_rules.rows import some_answers
from tests.world import NOW

RUNS = {"run.longest30": ["9"], "run.last_long": ["9"], "run.change": ["none"], "pain.run": [1], "pain.morning": [1]}
CALM = QUIET | RUNS


def states(rules, intake, answers):
    judge = Judge(rules, intake, keep_enabled(intake, answers))
    found = {rule.id: judge.rule_state(rule) for rule in rules.rules}
    return found | {signal.id: judge.signal_state(signal.when) for signal in rules.signals}


def test_every_rule_and_signal_is_not_asked_when_nothing_is_answered(rules, intake):
    assert set(states(rules, intake, {}).values()) == {State.NOT_ASKED}


def test_every_rule_and_signal_is_no_when_all_answers_are_normal(rules, intake):
    found = states(rules, intake, CALM)
    assert {rule for rule, state in found.items() if state == State.YES} == set()
    assert {rule for rule, state in found.items() if state == State.NOT_ASKED} == set()


@pytest.mark.parametrize(
    ("missing", "unknown"),
    [
        ("rf.leg", {"RF01", "RF02", "RF03", "RF05", "RF06", "RF07", "RF13", "RF14", "UN01", "BSI-watch"}),
        ("hist.bsi", {"RF20", "BSI-watch"}),
        ("run.last_long", {"L-1"}),
        ("psy.worry", {"Y-1"}),
        ("rf.signs", {"RF27", "RF28", "RF29", "RF31", "RF32", "RF33", "UN04"}),
    ],
)
def test_rule_is_not_asked_while_a_question_it_depends_on_is_unanswered(rules, intake, missing, unknown):
    found = states(rules, intake, {**CALM, missing: []})
    assert {rule for rule, state in found.items() if state == State.NOT_ASKED} == unknown


def test_follow_up_counts_as_asked_when_an_answer_rules_it_out(intake):
    asked = read_asked(intake, CALM)
    assert asked["rf.leg.unsure"] == asked["comp.toes.fast"] == Asked.RULED_OUT
    assert read_asked(intake, {})["rf.leg.unsure"] == Asked.OPEN


def test_unsure_about_no_named_sign_leaves_each_sign_not_asked(rules, intake):
    found = states(rules, intake, CALM | {"rf.leg": ["unsure"]})
    assert found["UN01"] == State.YES and found["RF01"] == State.NOT_ASKED
    found = states(rules, intake, CALM | {"rf.leg": ["unsure"], "rf.leg.unsure": ["saddle"]})
    assert found["RF01"] == State.YES and found["RF02"] == State.NO


def test_unsure_inside_a_not_does_not_count_as_yes(rules, intake):
    when = {"not": {"item": "rf.unwell.hip", "is": "yes"}}
    for answer, state in (("unsure", State.YES), ("yes", State.NO), ("no", State.YES)):
        judge = Judge(rules, intake, CALM | {"rf.body": ["unwell"], "rf.unwell.hip": [answer]})
        assert judge.signal_state(when) == state, answer


def test_bone_rules_are_not_asked_when_the_questionnaire_has_no_such_questions(rules, call_intake):
    answers = {name: values for name, values in QUIET.items() if name in call_intake.items}
    found = states(rules, call_intake, answers)
    assert found["BSI-watch"] == found["RF20"] == found["L-1"] == State.NOT_ASKED
    assert found["RF01"] == found["RF16"] == State.NO


def test_earlier_version_is_judged_by_the_questions_it_asks(rules, first_intake):
    then = {"bone.periods": ["not-relevant"], "med.painkillers": ["no"], "run.race": ["no"]}
    found = states(rules, first_intake, CALM | then)
    assert {rule for rule, state in found.items() if state == State.NOT_ASKED} == set()


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_state_agrees_with_the_rules_whenever_it_is_known(rules, intake, data):
    answers = keep_enabled(intake, data.draw(some_answers([item for item in intake.items.values() if item.options])))
    fired = frozenset(hit.rule_id for hit in evaluate(rules, answers))
    held = {signal.id for signal in holding_signals(rules, fired, answers)}
    for name, state in states(rules, intake, answers).items():
        assert (state == State.YES) <= (name in fired | held), name
        assert (state == State.NO) <= (name not in fired | held), name


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_never_becomes_yes_when_open_questions_are_answered(rules, intake, data):
    """A rule that was asked and answered "no" must not become "yes" when an open question is answered."""
    first = keep_enabled(intake, data.draw(some_answers([item for item in intake.items.values() if item.options])))
    more = data.draw(some_answers([i for i in intake.items.values() if i.options and i.link_id not in first]))
    later = first | {name: values for name, values in more.items() if name in _open(intake, first)}
    after = states(rules, intake, later)
    for name, state in states(rules, intake, first).items():
        if state == State.NO:
            assert after[name] != State.YES, name


def _open(intake, answers):
    return {name for name, asked in read_asked(intake, answers).items() if asked == Asked.OPEN}


@pytest.mark.django_db
def test_summary_does_not_say_no_about_what_was_not_asked(client, response, charlie):
    client.force_login(charlie)
    page = client.get(reverse("admin:assessments_response_change", args=[response.pk])).text
    assert "Not signalled" not in page and "Asked, and no" not in page
    assert "not asked</span> Bone stress watch, B-1 (BSI-watch)" in " ".join(page.split())
    summary = read_summary(response=response, by=charlie, now=NOW)
    assert not summary.calm_rules and len(summary.open_rules) == 41
    assert all(not section.silent for section in summary.sections)


@pytest.mark.django_db
def test_summary_of_a_call_says_that_the_bone_watch_was_not_asked(loaded, alice, charlie, call_intake):
    response = start_published_response(questionnaire_slug="call-intake", patient=alice, now=NOW)
    save_all(response, call_intake, {n: v for n, v in QUIET.items() if n in call_intake.items} | {"call.reason": ["x"]})
    complete_response(response=response, now=NOW)
    summary = read_summary(response=response, by=charlie, now=NOW)
    bone = next(section for section in summary.sections if section.title == "Bone")
    assert [line.signal.id for line in bone.not_asked] == ["BSI-watch"] and not bone.silent
    assert "hist.bsi (not asked)" in bone.not_asked[0].missing
    assert "RF20" in {one.rule.id for one in summary.open_rules}
    assert "RF01" in {rule.id for rule in summary.calm_rules}


@pytest.mark.django_db
def test_finished_summary_shows_asked_and_no(client, response, intake, charlie):
    save_all(response, intake, CALM)
    complete_response(response=response, now=NOW)
    client.force_login(charlie)
    page = client.get(reverse("admin:assessments_response_change", args=[response.pk]))
    summary = page.context["summary"]
    bone = next(section for section in summary.sections if section.title == "Bone")
    assert [line.signal.id for line in bone.silent] == ["BSI-watch"]
    assert {"RF01", "RF02"} <= {rule.id for rule in summary.calm_rules} and not summary.open_rules
    assert "Asked, and no" in page.text and ">not asked<" not in page.text


@pytest.mark.django_db
def test_unanswered_question_is_shown_as_not_answered(client, response, intake, charlie):
    save_page(response=response, page="safety", answers=of_page(intake, "safety"), now=NOW)
    client.force_login(charlie)
    page = client.get(reverse("admin:assessments_response_change", args=[response.pk])).text
    assert page.count(">not answered</dd>") > 20 and ">–</dd>" not in page


@pytest.mark.django_db
def test_export_distinguishes_no_from_not_asked(response, intake):
    save_page(response=response, page="safety", answers=of_page(intake, "safety"), now=NOW)
    (safety,) = export_response(response)["item"]  # omits pages that were not asked
    answers = {item["linkId"]: item["answer"][0]["valueCoding"]["code"] for item in safety["item"]}
    assert answers == {"about.age": "21-49", "rf.leg": "none", "rf.body": "none"}


@pytest.mark.django_db
def test_list_of_intakes_does_not_count_flags_where_nothing_was_asked(client, response, intake, charlie):
    client.force_login(charlie)
    url = reverse("admin:assessments_response_changelist")
    assert "not asked" in client.get(url).text
    save_page(response=response, page="safety", answers=of_page(intake, "safety"), now=NOW)
    assert "not asked" not in client.get(url).text
