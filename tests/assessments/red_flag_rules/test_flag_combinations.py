"""Combinations of signs, compared with the table written again in plain code (`flag_oracle`)."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assessments.questionnaire.enablement import enabled_items, keep_enabled
from assessments.red_flag_rules.evaluation import LEVELS, evaluate, holding_signals, leaves
from assessments.red_flags.definitions import read_rules
from tests.assessments.answering import QUIET
from tests.assessments.flag_oracle import expect_flags, expect_signals
from tests.assessments.red_flag_rules.rows import ROWS

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
RULES = read_rules()
PLACES = (
    *("front-hip", "groin", "pubic", "inner-thigh", "front-thigh", "outer-hip", "knee"),
    *("shin", "foot", "low-back", "buttock", "back-thigh", "calf", "unsure"),
)
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MANY = settings(FEW, max_examples=250)


def options_of(intake, name):
    return [option.code for option in intake.items[name].options]


def codes_looked_for(rules, when):
    """Return {question: answers that the condition names}, to draw answers close to it."""
    wanted: dict[str, set] = {}
    for leaf in (leaf for leaf in leaves(rules, when) if "item" in leaf):
        for name in (leaf["item"], *filter(None, [leaf.get("unsure_in")])):
            wanted.setdefault(name, set()).update(leaf.get("in", [leaf["is"]] if "is" in leaf else []))
    return wanted


@st.composite
def stories_near(draw, intake, rules, whens):
    """Draw answers close to the conditions `whens`: often those that they name, with their questions mostly enabled."""
    story = draw(stories(intake))
    for name, codes in (pair for when in whens for pair in codes_looked_for(rules, when).items()):
        possible = sorted(codes & set(options_of(intake, name))) if name in intake.items else []
        if possible and draw(st.integers(0, 4)):
            most = 3 if intake.items[name].repeats else 1
            story[name] = draw(st.lists(st.sampled_from(possible), min_size=1, max_size=most, unique=True))
    for name in [name for name in story if name.endswith(".unsure") and draw(st.booleans())]:
        story[name.removesuffix(".unsure")] = ["unsure"]
    for name in [name for name in story if name in intake.items]:  # and the answers that enable them
        for condition in intake.items[name].conditions[:1]:
            if condition.question in READ and draw(st.integers(0, 3)):
                story[condition.question] = [condition.value]
    return story


@st.composite
def stories(draw, intake):
    """Draw anything that can be posted: any options together, hidden questions answered, many unanswered."""
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


@pytest.mark.parametrize("rule", RULES.rules, ids=lambda rule: rule.id)
@FEW
@given(data=st.data())
def test_flags_agree_with_the_oracle_for_any_answers(rules, intake, rule, data):
    story = data.draw(stories_near(intake, rules, [case.when for case in rule.cases]))
    asked = keep_enabled(intake, story)
    assert levels(rules, asked) == expect_flags(asked)


@pytest.mark.parametrize("signal", RULES.signals, ids=lambda signal: signal.id)
@FEW
@given(data=st.data())
def test_signals_agree_with_the_oracle_for_any_answers(rules, intake, signal, data):
    asked = keep_enabled(intake, data.draw(stories_near(intake, rules, [signal.when])))
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
    """Combine the answers of `rows`, joining multiple choices. Omit a row that contradicts an earlier one."""
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
def test_combined_rows_keep_each_level_and_the_highest_comes_first(rules, intake, rows):
    story, kept = merge(intake, rows)
    asked = keep_enabled(intake, story)
    hits = evaluate(rules, asked)
    found = {hit.rule_id: hit.level for hit in hits}
    for rule, level, _, answers in kept:
        is_still_asked = set(answers) <= set(asked)
        if is_still_asked and rule != "RF37":  # another row can withdraw RF37 ("but you can walk")
            assert LEVELS.index(found[rule]) <= LEVELS.index(level), rule
    assert hits[0].level == min(found.values(), key=LEVELS.index)


@MANY
@given(data=st.data())
def test_one_more_sign_never_lowers_a_level(rules, intake, data):
    """RF37 ("but you can walk") is exempt, because another sign withdraws it."""
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
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("leg", "pop"), [("none", "yes"), ("none", "no"), ("no-weight", "unsure"), ("no-weight", "no")]
)
def test_flags_of_young_runners_depend_on_age_body_site_and_walking(rules, intake, age, place, leg, pop):
    """RF25 is for those under 18, RF26 for those under 21."""
    story = QUIET | {
        "about.age": [age],
        "loc.map": [place],
        "rf.leg": [leg],
        "rf.move": ["limp"],
        "rf.young.pop": [pop],
    }
    found = levels(rules, keep_enabled(intake, story))
    is_watched = age == "under-18" and place not in ("shin", "foot", "low-back", "calf")
    assert found.get("RF25") == (("E" if leg == "no-weight" else "U") if is_watched else None)
    assert found.get("RF26") == ("U" if age in ("under-18", "18-20") and pop != "no" else None)


BLEEDING = {
    "med.conditions": ["thinner"],
    "loc.map": ["groin"],
    "on.when": ["days"],
    "on.mode": ["sudden"],
    "on.sudden": ["bruise"],
}


@pytest.mark.parametrize(
    ("change", "is_emergency"),
    [
        ({}, True),
        ({"med.conditions": ["unsure"], "med.conditions.unsure": ["thinner"]}, True),
        *(({"loc.map": [place]}, True) for place in ("front-hip", "front-thigh", "unsure")),
        *(({"loc.map": [place]}, False) for place in ("outer-hip", "knee", "calf")),
        ({"on.when": ["weeks"]}, True),
        ({"on.when": ["months"]}, False),
        ({"on.sudden": ["weak"]}, True),
        ({"on.sudden": ["pop"]}, False),
        ({"on.sudden": ["pop"], "mech": ["give-way"]}, True),
        ({"on.mode": ["gradual"]}, False),  # the bruise is no longer asked about
        ({"med.conditions": ["antibiotic"]}, False),
    ],
)
def test_blood_thinners_with_new_signs_of_bleeding_are_an_emergency(rules, intake, change, is_emergency):
    """RF14 from answers on three pages, for a runner who did not check it on the first."""
    found = levels(rules, keep_enabled(intake, QUIET | BLEEDING | change))
    assert found.get("RF14") == ("E" if is_emergency else None)


@pytest.mark.parametrize(
    ("rule", "level", "answers"),
    [
        ("RF24", "U", {"med.conditions": ["unsure"], "med.conditions.unsure": ["bone-blood"], "rf.deep": ["yes"]}),
        ("RF30", "E", {"rf.move": ["unsure"], "rf.move.unsure": ["foot-slap"], "rf.foot.fast": ["yes"]}),
        ("RF40", "U", {"med.conditions": ["unsure"], "med.conditions.unsure": ["hip-surgery"], "rf.hip.new": ["yes"]}),
    ],
)
def test_unsure_counts_as_yes_when_the_follow_up_asks_more(rules, intake, rule, level, answers):
    assert levels(rules, keep_enabled(intake, QUIET | answers))[rule] == level
