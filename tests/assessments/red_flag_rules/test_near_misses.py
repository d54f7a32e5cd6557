"""“Why not” texts: why a rule is close to firing, and what is missing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessments.intake.summary import find_close_rules
from assessments.red_flag_rules.evaluation import evaluate, holds
from assessments.red_flag_rules.near_misses import describe_nearness, is_close, measure_nearness
from tests.assessments.answering import QUIET
from tests.assessments.red_flag_rules.rows import some_answers


def why_not(rules, intake, signal_id, answers, fired=frozenset()):
    signal = next(one for one in rules.signals if one.id == signal_id)
    near = measure_nearness(rules, signal.when, answers, fired=fired)
    return describe_nearness(near, intake.items, answers) if is_close(near, answers) else ""


def test_run_a_little_longer_than_the_months_longest_is_close(rules, intake):
    text = why_not(rules, intake, "L-1", {"run.last_long": ["10.5"], "run.longest30": ["10"]})
    assert "10.5" in text and "more than 1.10" in text


def test_run_shorter_than_the_months_longest_is_not_close(rules, intake):
    assert why_not(rules, intake, "L-1", {"run.last_long": ["8"], "run.longest30": ["10"]}) == ""


def test_sudden_onset_without_pop_or_bruise_says_what_is_missing(rules, intake):
    text = why_not(rules, intake, "A-1", {"on.mode": ["sudden"], "on.sudden": ["none"]})
    assert text.startswith("needs ")
    assert intake.items["on.sudden"].label in text


@pytest.mark.parametrize(("confidence", "is_near"), [(5, True), (6, False)])
def test_number_next_to_its_limit_is_close(rules, intake, confidence, is_near):
    text = why_not(rules, intake, "Y-1", {"psy.confidence": [confidence], "psy.worry": [0]})
    assert bool(text) is is_near


def test_one_of_two_bone_risks_names_the_others(rules, intake):
    text = why_not(rules, intake, "BSI-watch", {"loc.map": ["groin"], "run.change": ["hills"]})
    assert text.startswith("needs 1 more of: ")


def test_body_site_alone_makes_no_rule_close(rules, intake):
    assert find_close_rules(rules, intake, {"loc.map": ["groin"], "about.age": ["under-18"]}) == []


def test_quiet_intake_shows_at_most_five_close_rules_and_none_that_fired(rules, intake):
    fired = {hit.rule_id for hit in evaluate(rules, QUIET)}
    close = {one.rule.id for one in find_close_rules(rules, intake, QUIET)}
    assert not close & fired
    assert len(close) <= 5


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_nearness_is_zero_exactly_when_the_condition_holds(rules, intake, data):
    answers = data.draw(some_answers([item for item in intake.items.values() if item.options]))
    for rule in rules.rules:
        for case in rule.cases:
            is_held = holds(rules, case.when, answers, unsure_is_yes=False)
            assert (measure_nearness(rules, case.when, answers).needed <= 0) is is_held, (rule.id, case.when)


def test_negative_conditions_are_written_as_text(rules, intake):
    toes = {"comp": ["toes"], "comp.toes.new": ["yes"]}
    text = why_not(rules, intake, "C-2", toes, frozenset({"RF30"}))
    assert text.startswith("needs not ") and "RF30" in text
    started = {"run.change": ["started"], "run.longest30": ["9"]}
    label = intake.items["run.longest30"].label
    assert f"{label} (9 miles) not to be " in why_not(rules, intake, "L-2", started)
