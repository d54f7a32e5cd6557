"""Signs in every combination, against the table told once more in plain code (`flag_oracle`)."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assessments.enablement import enabled_items, keep_enabled
from assessments.red_flags import LEVELS, evaluate, holding_signals
from tests.assessments.answering import QUIET
from tests.assessments.flag_oracle import expect_flags, expect_signals
from tests.assessments.test_red_flags import ROWS

READ = (
    *(
        "about.age",
        "rf.leg",
        "rf.leg.unsure",
        "rf.body",
        "rf.body.unsure",
        "rf.unwell.hip",
        "rf.move",
        "rf.move.unsure",
    ),
    *(
        "rf.foot.fast",
        "rf.signs",
        "rf.signs.unsure",
        "rf.young.pop",
        "loc.map",
        "on.when",
        "on.mode",
        "on.sudden",
        "mech",
    ),
    *("run.stopped", "run.change", "hist", "hist.bsi", "comp", "comp.toes.new", "comp.toes.fast", "comp.strength"),
    *("med.conditions", "med.conditions.unsure", "rf.deep", "rf.hip.new", "bone.periods", "bone.fuel"),
)
SCALES = ("pain.run", "pain.morning", "psy.confidence", "psy.worry")
MILES = st.sampled_from(["0", "5", "10", "11", "11.001", "13", "20", "20.1", "33"])
MANY = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def options_of(intake, name):
    return [option.code for option in intake.items[name].options]


@st.composite
def stories(draw, intake):
    """What any runner could post: any ticks together, hidden questions answered too, much left out."""
    story = {}
    for name in draw(st.lists(st.sampled_from(READ), max_size=14, unique=True)):
        most = 4 if intake.items[name].repeats else 1
        codes = st.sampled_from(options_of(intake, name))
        story[name] = draw(st.lists(codes, min_size=1, max_size=most, unique=True))
    for name in draw(st.lists(st.sampled_from(SCALES), max_size=3, unique=True)):
        story[name] = [draw(st.integers(0, 10))]
    for name in draw(st.lists(st.sampled_from(["run.last_long", "run.longest30"]), max_size=2, unique=True)):
        story[name] = [draw(MILES)]
    return story


def levels(rules, asked):
    return {hit.rule_id: hit.level for hit in evaluate(rules, asked)}


@MANY
@given(data=st.data())
def test_flags_are_those_of_the_table_whatever_is_ticked(rules, intake, data):
    asked = keep_enabled(intake, data.draw(stories(intake)))
    assert levels(rules, asked) == expect_flags(asked)


@MANY
@given(data=st.data())
def test_signals_are_those_of_the_table_whatever_is_ticked(rules, intake, data):
    asked = keep_enabled(intake, data.draw(stories(intake)))
    held = {one.id for one in holding_signals(rules, frozenset(levels(rules, asked)), asked)}
    assert held == expect_signals(asked)


@MANY
@given(data=st.data())
def test_hidden_answers_change_nothing(rules, intake, data):
    story = data.draw(stories(intake))
    enabled = enabled_items(intake, story)
    seen = {name: values for name, values in story.items() if name in enabled}
    assert levels(rules, keep_enabled(intake, story)) == levels(rules, keep_enabled(intake, seen))
    read = {name for hit in evaluate(rules, keep_enabled(intake, story)) for name in hit.snapshot}
    assert read <= enabled


def merge(intake, rows):
    """The rows' answers in one story, ticks added up; rows that contradict an earlier one are left out."""
    story, kept = {"loc.map": QUIET["loc.map"]}, []
    for row in rows:
        answers = row[3]
        if any(name in story and not intake.items[name].repeats and story[name] != answers[name] for name in answers):
            continue
        kept.append(row)
        for name, values in answers.items():
            story[name] = sorted({*story.get(name, []), *values}) if intake.items[name].repeats else values
    return QUIET | story, kept


@MANY
@given(rows=st.lists(st.sampled_from(ROWS), min_size=1, max_size=8))
def test_rows_together_keep_each_level_and_the_highest_of_all(rules, intake, rows):
    story, kept = merge(intake, rows)
    asked = keep_enabled(intake, story)
    hits = evaluate(rules, asked)
    found = {hit.rule_id: hit.level for hit in hits}
    for rule, level, _, answers in kept:
        is_still_asked = set(answers) <= set(asked)
        if is_still_asked and rule != "RF37":  # "but you can walk" is taken back by another row
            assert LEVELS.index(found[rule]) <= LEVELS.index(level), rule
    assert hits[0].level == min(found.values(), key=LEVELS.index)


@MANY
@given(data=st.data())
def test_one_more_sign_never_lowers_the_whole(rules, intake, data):
    """Ticking one more of a list, whatever stands, may only raise. (RF37 says "but you can walk", and is only told.)"""
    story = data.draw(stories(intake))
    name = data.draw(st.sampled_from(["rf.leg", "rf.body", "rf.move", "rf.signs", "med.conditions"]))
    sign = data.draw(st.sampled_from([code for code in options_of(intake, name) if code not in ("none", "unsure")]))
    before = levels(rules, keep_enabled(intake, story))
    more = {**story, name: [*story.get(name, []), sign]}
    after = levels(rules, keep_enabled(intake, more))
    for rule, level in before.items():
        if rule != "RF37":
            assert LEVELS.index(after[rule]) <= LEVELS.index(level), rule


@pytest.mark.parametrize("age", ["under-18", "18-20", "21-49", "50-up"])
@pytest.mark.parametrize("place", ["front-hip", "inner-thigh", "knee", "shin"])
@pytest.mark.parametrize("leg", ["none", "no-weight"])
@pytest.mark.parametrize("pop", ["yes", "no", "unsure"])
def test_young_runners_path(rules, intake, age, place, leg, pop):
    """RF25 and RF26: who is under 18, who is under 21, where it hurts, whether they can walk."""
    story = QUIET | {
        "about.age": [age],
        "loc.map": [place],
        "rf.leg": [leg],
        "rf.move": ["limp"],
        "rf.young.pop": [pop],
    }
    found = levels(rules, keep_enabled(intake, story))
    is_watched = age == "under-18" and place != "shin"
    assert found.get("RF25") == (("E" if leg == "no-weight" else "U") if is_watched else None)
    assert found.get("RF26") == ("U" if age in ("under-18", "18-20") and pop != "no" else None)
