"""The signals of the therapist's summary, each at the limit where it begins to hold."""

import pytest

from assessments.questionnaire.enablement import keep_enabled
from assessments.red_flag_rules.evaluation import evaluate, holding_signals
from tests.assessments.answering import QUIET
from tests.assessments.red_flag_rules.rows import HEALTH, KNEE, MOVE, ROWS, SUDDEN

NEUTRAL = QUIET | {"run.change": ["none"]}
HILLS, SPIKE = {"run.change": ["hills"]}, {"run.longest30": ["10"], "run.last_long": ["11.1"]}
WATCHING = ("RF06", "RF07", "RF16", "RF17", "RF18", "RF19", "RF20")


def held(rules, intake, **answers):
    asked = keep_enabled(intake, {**NEUTRAL, **answers})
    ids = frozenset(hit.rule_id for hit in evaluate(rules, asked))
    return {signal.id for signal in holding_signals(rules, ids, asked)}


def test_quiet_runner_has_no_signal(rules, intake):
    assert held(rules, intake) == set()


@pytest.mark.parametrize(
    ("longest", "run", "is_held"),
    [
        ("10", "11", False),  # exactly 1.10 is the reference band
        ("10000", "11001", True),  # 1.1001
        ("10", "13", True),  # 1.30
        ("10", "20", True),  # 2.00
        ("10", "9", False),
        ("0", "11", False),  # without a baseline there is no ratio
        (None, "11", False),
        ("10", None, False),
    ],
)
def test_single_run_spike_begins_above_ten_percent_more(rules, intake, longest, run, is_held):
    given = {"run.longest30": longest, "run.last_long": run}
    answers = {name: [miles] for name, miles in given.items() if miles is not None}
    assert ("L-1" in held(rules, intake, **answers)) is is_held


@pytest.mark.parametrize(("longest", "is_held"), [(None, True), ("0", True), ("0.5", False), ("10", False)])
def test_new_or_returning_load_requires_a_start_without_a_baseline(rules, intake, longest, is_held):
    baseline = {} if longest is None else {"run.longest30": [longest]}
    assert ("L-2" in held(rules, intake, **{"run.change": ["started"]}, **baseline)) is is_held
    assert "L-2" not in held(rules, intake, **{"run.change": ["distance"]}, **baseline)


@pytest.mark.parametrize(
    ("running", "during", "morning", "is_held"),
    [
        ("less", 5, 2, False),
        ("less", 6, 0, True),
        ("less", 0, 3, True),
        ("as-before", 6, 0, True),
        ("stopped", 9, 9, False),
        ("less", None, None, False),
    ],
)
def test_training_signal_holds_above_the_tolerated_level(rules, intake, running, during, morning, is_held):
    scores = {"pain.run": during, "pain.morning": morning}
    answers = {name: [score] for name, score in scores.items() if score is not None}
    assert ("L-3" in held(rules, intake, **{"run.stopped": [running]}, **answers)) is is_held


@pytest.mark.parametrize(
    ("signal", "answers"),
    [
        *(("L-4", {"run.change": [change]}) for change in ("hills", "speed", "shoes", "surface")),
        ("C-1", {"hist": ["hamstring"]}),
        ("C-1", {"hist": ["back"]}),
        ("C-1", {"comp.strength": ["none"]}),
        ("C-2", {"comp": ["shins"]}),
        ("C-2", {"comp": ["toes"], "comp.toes.new": ["no"]}),
        ("A-1", {**SUDDEN, "on.sudden": ["pop"]}),
        ("A-1", {**SUDDEN, "on.sudden": ["bruise"]}),
        ("J-1", {"mech": ["pinch"]}),
        ("J-1", {"mech": ["catch"]}),
        ("Y-1", {"psy.confidence": [4]}),
        ("Y-1", {"psy.worry": [7]}),
    ],
)
def test_signal_holds_for_its_answers(rules, intake, signal, answers):
    assert signal in held(rules, intake, **answers)


@pytest.mark.parametrize(
    ("signal", "answers"),
    [
        *(("L-4", {"run.change": [change]}) for change in ("distance", "days", "started")),
        ("C-1", {"hist": ["same", "ankle"], "comp.strength": ["once"]}),
        ("C-2", {"comp": ["toes"], "comp.toes.new": ["yes"], "comp.toes.fast": ["no"]}),  # RF30 is raised instead
        ("C-2", {"comp": ["shins"], MOVE: ["foot-slap"], "rf.foot.fast": ["no"]}),
        ("A-1", {**SUDDEN, "on.sudden": ["weak"]}),
        ("A-1", {"on.mode": ["gradual"], "on.sudden": ["pop"]}),  # no longer asked
        ("J-1", {"mech": ["click", "give-way"]}),
        ("Y-1", {"psy.confidence": [5], "psy.worry": [6]}),
    ],
)
def test_signal_does_not_hold_just_outside_its_limit(rules, intake, signal, answers):
    assert signal not in held(rules, intake, **answers)


@pytest.mark.parametrize("answers", [row[3] for row in ROWS if row[0] in WATCHING])
def test_bone_watch_holds_when_one_of_its_rules_fired(rules, intake, answers):
    assert "BSI-watch" in held(rules, intake, **answers)


@pytest.mark.parametrize(
    "two",
    [
        SPIKE | HILLS,
        SPIKE | {"bone.periods": ["yes"]},
        HILLS | {"bone.fuel": ["yes"]},
        {"bone.periods": ["yes"], "bone.fuel": ["yes"]},
        {HEALTH: ["bone-weak"], "run.change": ["speed"]},
    ],
)
def test_bone_watch_holds_with_two_risks_and_groin_pain(rules, intake, two):
    assert "BSI-watch" in held(rules, intake, **two)
    assert "BSI-watch" not in held(rules, intake, **two, **KNEE)
    assert "BSI-watch" not in held(rules, intake, **{**two, "loc.map": ["outer-hip"]})


@pytest.mark.parametrize(
    "one", [SPIKE, HILLS, {"bone.periods": ["yes"]}, {"bone.fuel": ["yes"]}, {HEALTH: ["bone-weak"]}]
)
def test_bone_watch_does_not_hold_with_one_risk(rules, intake, one):
    assert "BSI-watch" not in held(rules, intake, **one)
