"""Every rule of the table fires on answers to questions that patients are asked."""

import copy
import json

import pytest

from assessments.questionnaire.checking import check_item
from assessments.questionnaire.enablement import enabled_items, keep_enabled
from assessments.red_flag_rules.evaluation import LEVELS, RulesInvalid, evaluate, holds, parse_rules, unknown_questions
from assessments.red_flags.definitions import FOLDER
from tests.assessments.answering import QUIET
from tests.assessments.red_flag_rules.rows import BODY, HEALTH, LEG, MOVE, ROWS, SIGNS, SUDDEN

# The same signs, answered "I am not sure".
UNSURE_ROWS = [
    *(("E", rule, LEG, code) for rule, code in [("RF01", "saddle"), ("RF02", "bladder"), ("RF03", "both-legs")]),
    *(("E", rule, LEG, code) for rule, code in [("RF05", "cannot-stand"), ("RF06", "crack"), ("RF07", "no-weight")]),
    *(("E", rule, LEG, code) for rule, code in [("RF13", "cold-leg"), ("RF14", "thinner-pain")]),
    *(("E", rule, BODY, code) for rule, code in [("RF08", "chest"), ("RF09", "testicle"), ("RF10", "bulge")]),
    *(
        ("E", rule, BODY, code)
        for rule, code in [("RF11", "belly"), ("RF12", "pregnant-belly"), ("RF15", "dark-urine")]
    ),
    *(("U", rule, MOVE, code) for rule, code in [("RF16", "walk-groin"), ("RF17", "landing"), ("RF18", "rest-night")]),
    *(("U", rule, MOVE, code) for rule, code in [("RF19", "earlier-worse"), ("RF30", "foot-slap")]),
    *(("U", rule, SIGNS, code) for rule, code in [("RF27", "calf-swollen"), ("RF28", "cancer"), ("RF31", "lump")]),
    *(("U", rule, SIGNS, code) for rule, code in [("RF29", "weight-sweats"), ("RF32", "urine")]),
    *(("U", rule, SIGNS, code) for rule, code in [("RF33", "pregnancy-standing")]),
    *(("U", rule, HEALTH, code) for rule, code in [("RF23", "bone-weak"), ("RF23", "steroid-tablets")]),
]


def fired(rules, intake, **answers):
    """Return {rule: level} for the quiet runner with `answers` instead, counting only questions that are asked."""
    asked = keep_enabled(intake, {**QUIET, **answers.pop("also", {}), **answers})
    return {hit.rule_id: hit.level for hit in evaluate(rules, asked)}


def test_quiet_runner_raises_no_flag(rules, intake):
    assert fired(rules, intake) == {}


def test_table_is_complete(rules):
    ids = [rule.id for rule in rules.rules if rule.id.startswith("RF")]
    assert ids == [f"RF{number:02}" for number in range(1, 42)]
    assert {row[0] for row in ROWS} == set(ids)
    for rule in rules.rules:
        assert rule.concern
        assert rule.source
        assert rule.question


@pytest.mark.parametrize(("rule", "level", "deadline", "answers"), ROWS)
def test_rule_alone_fires_at_its_level(rules, intake, rule, level, deadline, answers):
    asked = keep_enabled(intake, {**QUIET, **answers})
    for name, values in answers.items():
        assert name in asked, f"{name} is not asked"
        assert check_item(intake.items[name], values) is None
    hits = {hit.rule_id: hit for hit in evaluate(rules, asked)}
    assert (hits[rule].level, hits[rule].deadline) == (level, deadline)
    assert hits[rule].rule_version == rules.by_id[rule].version
    assert hits[rule].snapshot


@pytest.mark.parametrize(("rule", "level", "deadline", "answers"), [row for row in ROWS if row[1] in "EU"])
def test_highest_level_comes_first(rules, intake, rule, level, deadline, answers):
    together = keep_enabled(
        intake,
        {
            **QUIET,
            "mech": ["lock", *answers.get("mech", [])],
            **{name: values for name, values in answers.items() if name != "mech"},
        },
    )
    hits = evaluate(rules, together)
    assert LEVELS.index(hits[0].level) <= LEVELS.index(level)
    assert "RF36" in {hit.rule_id for hit in hits}


@pytest.mark.parametrize(("level", "rule", "group", "code"), UNSURE_ROWS)
def test_unsure_about_a_sign_counts_as_yes(rules, intake, level, rule, group, code):
    hits = fired(rules, intake, **{group: ["unsure"], f"{group}.unsure": [code]})
    assert hits[rule] in LEVELS[: LEVELS.index(level) + 1]
    assert not any(name.startswith("UN") for name in hits)


@pytest.mark.parametrize(
    ("rule", "level", "answers"),
    [
        ("RF04", "E", {BODY: ["unwell"], "rf.unwell.hip": ["unsure"]}),
        ("RF20", "U", {"hist.bsi": ["unsure"]}),
        ("RF21", "U", {"bone.periods": ["unsure"]}),
        ("RF22", "U", {"bone.fuel": ["unsure"], MOVE: ["landing"]}),
        ("RF24", "U", {HEALTH: ["bone-blood"], "rf.deep": ["unsure"]}),
        ("RF26", "U", {"about.age": ["18-20"], "rf.young.pop": ["unsure"]}),
        ("RF30", "E", {MOVE: ["foot-slap"], "rf.foot.fast": ["unsure"]}),
        ("RF40", "U", {HEALTH: ["hip-surgery"], "rf.hip.new": ["unsure"]}),
        ("RF23", "U", {HEALTH: ["bone-weak"], "loc.map": ["unsure"]}),
    ],
)
def test_unsure_in_a_separate_question_counts_as_yes(rules, intake, rule, level, answers):
    assert fired(rules, intake, also=answers)[rule] == level


@pytest.mark.parametrize(
    ("group", "rule", "level"),
    [(LEG, "UN01", "E"), (BODY, "UN02", "E"), (MOVE, "UN03", "U"), (SIGNS, "UN04", "U"), (HEALTH, "UN05", "U")],
)
def test_unsure_about_no_named_sign_fires_the_rule_of_the_list(rules, intake, group, rule, level):
    assert fired(rules, intake, **{group: ["unsure"]}) == {rule: level}


def test_unsure_never_raises_a_flag_for_the_therapist_alone(rules, intake):
    """At level T only a yes counts; the therapist asks about unsure answers at the visit."""
    assert "RF38" not in fired(rules, intake, **{HEALTH: ["unsure"], f"{HEALTH}.unsure": ["antibiotic"]})
    assert "RF22" not in fired(rules, intake, **{"bone.fuel": ["unsure"]})


def test_feeling_unwell_is_an_emergency_when_the_immune_system_is_weak(rules, intake):
    unwell = {BODY: ["unwell"], "rf.unwell.hip": ["no"]}
    assert "RF04" not in fired(rules, intake, also=unwell)
    assert fired(rules, intake, also={**unwell, HEALTH: ["immune"]})["RF04"] == "E"


def test_sudden_pull_is_for_the_therapist_only_when_the_runner_can_walk(rules, intake):
    pull = {**SUDDEN, "on.sudden": ["weak"]}
    assert fired(rules, intake, also=pull) == {"RF37": "T"}
    assert "RF37" not in fired(rules, intake, also={**pull, LEG: ["no-weight"]})


def test_limp_raises_only_rf16_when_the_runner_is_an_adult(rules, intake):
    assert fired(rules, intake, **{MOVE: ["limp"]}) == {"RF16": "U"}


@pytest.mark.parametrize(
    "hidden",
    [
        {"rf.leg.unsure": ["saddle", "no-weight"]},
        {"rf.body.unsure": ["chest"]},
        {"rf.move.unsure": ["walk-groin"]},
        {"rf.signs.unsure": ["lump"]},
        {"med.conditions.unsure": ["bone-weak"]},
        {"rf.young.pop": ["yes"]},
        {"comp.toes.new": ["yes"]},
        {"comp.toes.fast": ["yes"]},
        {"on.sudden": ["bruise"]},
        {"rf.foot.fast": ["yes"]},
        {"rf.unwell.hip": ["yes"]},
        {"rf.deep": ["yes"]},
        {"rf.hip.new": ["yes"]},
    ],
)
def test_answer_to_a_hidden_question_raises_no_flag(rules, intake, hidden):
    assert not set(hidden) & enabled_items(intake, {**QUIET, **hidden})
    assert fired(rules, intake, also=hidden) == {}


def test_only_young_runners_are_asked_about_growth_and_guardians(intake):
    assert "rf.young.pop" in enabled_items(intake, {**QUIET, "about.age": ["under-18"]})
    assert "guard.consent" in enabled_items(intake, {**QUIET, "about.age": ["under-18"]})
    assert "guard.consent" not in enabled_items(intake, {**QUIET, "about.age": ["18-20"]})


def test_rules_read_only_questions_that_are_asked(rules, intake, first_intake):
    options: dict[str, set[str]] = {}
    for item in [*first_intake.items.values(), *intake.items.values()]:
        options.setdefault(item.link_id, set()).update(option.code for option in item.options)
    assert unknown_questions(rules, options) == []
    options["rf.leg"].discard("saddle")
    del options["mech"]
    assert unknown_questions(rules, options) == ["mech", "rf.leg=saddle"]


@pytest.mark.parametrize("name", ["rf.leg", "rf.body", "rf.move", "rf.signs", "loc.map", "about.age"])
def test_every_intake_asks_the_same_signs(intake, first_intake, call_intake, name):
    codes = [option.code for option in intake.items[name].options]
    assert [option.code for option in call_intake.items[name].options] == codes
    assert [option.code for option in first_intake.items[name].options] == codes


def test_answers_to_the_first_version_raise_the_same_flags(rules, first_intake):
    """A response started or changed later under version 1 is evaluated with the current rules."""
    quiet = {name: values for name, values in QUIET.items() if name in first_intake.items}
    cases = [(row[0], row[1], row[3]) for row in ROWS if not ({"comp.toes.fast"} & set(row[3]) or row[0] == "RF39")]
    for rule, level, answers in [*cases, ("RF39", "T", {"med.painkillers": ["yes"]})]:
        hits = {hit.rule_id: hit.level for hit in evaluate(rules, keep_enabled(first_intake, {**quiet, **answers}))}
        assert hits[rule] == level


def test_broken_rules_are_refused():
    data = json.loads((FOLDER / "red_flags_v1.json").read_text())
    for change in (
        lambda broken: broken["rules"].append(broken["rules"][0]),
        lambda broken: broken["rules"][0]["cases"][0].update(level="X"),
        lambda broken: broken["rules"][0]["cases"][0].update(when={"item": "rf.leg"}),
        lambda broken: broken["rules"][0]["cases"][0].update(when={"condition": "nowhere"}),
        lambda broken: broken["rules"][0]["cases"][0].update(when={"whatever": 1}),
    ):
        broken = copy.deepcopy(data)
        change(broken)
        with pytest.raises(RulesInvalid):
            parse_rules(broken)


FORBIDDEN = (
    "you have",
    "diagnos",
    "safe to",
    "prevents",
    "will heal",
    "fracture",
    "tumour",
    "cancer",
    "thrombosis",
    "sepsis",
)


def test_text_for_patients_names_no_disease(rules):
    for action in rules.actions.values():
        text = " ".join([action.heading, action.text, *action.steps]).lower()
        assert not [word for word in FORBIDDEN if word in text]


@pytest.mark.parametrize(
    "when",
    [
        {"not": {"item": "x", "is": "yes"}},
        {"not": {"any": [{"item": "x", "in": ["yes", "maybe"]}, {"item": "y", "is": "yes"}]}},
        {"not": {"all": [{"item": "x", "is": "yes"}]}},
        {"all": [{"item": "z", "is": "yes"}, {"not": {"item": "x", "is": "yes"}}]},
        {"not": {"item": "x", "is": "yes", "unsure_in": "x.unsure"}},
    ],
)
def test_unsure_inside_a_not_suppresses_no_flag(rules, when):
    """ "Not sure" counts as yes in a condition that raises a flag, and does not count as yes inside a "not"."""
    answers = {"x": ["unsure"], "x.unsure": ["yes"], "y": ["unsure"], "z": ["yes"]}
    assert holds(rules, when, answers, unsure_is_yes=True)
    assert not holds(rules, when, answers | {"x": ["yes"]}, unsure_is_yes=True)
    assert holds(rules, {"item": "x", "is": "yes"}, answers, unsure_is_yes=True)
