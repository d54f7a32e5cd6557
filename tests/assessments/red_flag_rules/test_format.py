"""A rule file with an unknown name is refused and the place named, since such a rule would never fire."""

import copy
import json

import pytest

from assessments.intake import summary
from assessments.red_flag_rules.coverage import misread_numbers
from assessments.red_flag_rules.evaluation import RulesInvalid, evaluate, parse_rules, unknown_questions
from assessments.red_flag_rules.format import DEADLINES, SECTIONS
from assessments.red_flags.definitions import FOLDER, load_questionnaires, read_rules
from tests.world import NOW


@pytest.fixture
def data():
    return json.loads((FOLDER / "red_flags_v1.json").read_text())


def rule(data, number=0):
    return data["rules"][number]


def case(data, number=0):
    return rule(data, number)["cases"][0]


def signal(data):
    return data["signals"][1]


def when(value):
    return lambda data: case(data).update(when=value)


LEAF = {"item": "rf.leg", "is": "saddle"}
FAULTS = {
    "section": (lambda data: signal(data).update(section="bones"), "L-1: there is no section 'bones'"),
    "key of the file": (lambda data: data.update(rule=[]), "unknown key 'rule'"),
    "key of a rule": (lambda data: rule(data).update(lvl="E"), "RF01: unknown key 'lvl'"),
    "key of a case": (lambda data: case(data).update(is_conservativ=True), "RF01: unknown key"),
    "key of a signal": (lambda data: signal(data).update(shown=True), "L-1: unknown key 'shown'"),
    "key of an action": (lambda data: data["actions"]["now"].update(link="x"), "action now: unknown key 'link'"),
    "key of a condition": (when({"any": [LEAF], "al": [LEAF]}), "RF01: unknown key 'al'"),
    "key of a leaf": (when(LEAF | {"unsure": "rf.leg.unsure"}), "RF01: unknown key 'unsure'"),
    "missing key": (lambda data: rule(data).pop("concern"), "'concern' is missing"),
    "missing part": (lambda data: data.pop("signals"), "'signals' is missing"),
    "level": (lambda data: case(data).update(level="X"), "RF01: unknown level"),
    "deadline": (lambda data: case(data).update(deadline="soon"), "RF01: unknown level or deadline"),
    "emergency that can wait": (lambda data: case(data).update(deadline="48 h"), "do not go together"),
    "action for no deadline": (lambda data: data["actions"].update({"2 days": data["actions"]["now"]}), "actions: one"),
    "deadline without an action": (lambda data: data["actions"].pop("same day"), "actions: one for each"),
    "action without a heading": (lambda data: data["actions"]["now"].update(heading=" "), "'heading' cannot be"),
    "steps that are no list": (lambda data: data["actions"]["now"].update(steps="run"), "'steps' cannot be"),
    "id used twice": (lambda data: rule(data).update(id="RF02"), "the id RF02 is used twice"),
    "signal called like a rule": (lambda data: signal(data).update(id="RF02"), "the id RF02 is used twice"),
    "id too long to store": (lambda data: rule(data).update(id="RF-and-more-1"), "an id of at most 12"),
    "rule without a case": (lambda data: rule(data).update(cases=[]), "at least one case"),
    "version that is no number": (lambda data: rule(data).update(version="1"), "'version' cannot be '1'"),
    "two forms at once": (when({"any": [LEAF], "not": LEAF}), "is not a condition"),
    "no form": (when({"whatever": 1}), "is not a condition"),
    "condition that is a text": (when({"all": ["rf.leg"]}), "is not a condition"),
    "empty list": (when({"any": []}), "needs a list of conditions"),
    "count beyond the list": (when({"of": [LEAF], "at_least": 2}), "an 'at_least' from 1 to 1"),
    "two tests": (when(LEAF | {"in": ["x"]}), "exactly one test"),
    "no test": (when({"item": "rf.leg"}), "exactly one test"),
    "number as a number": (when({"item": "pain.now", "more_than": 5}), "not a number written as text"),
    "number that is none": (when({"item": "pain.now", "more_than": "five"}), "not a number written as text"),
    "codes that are no list": (when({"item": "rf.leg", "in": "saddle"}), "a list of texts"),
    "unsure of a number": (when({"item": "a", "at_least": "5", "unsure_in": "b"}), "goes with 'is' or 'in'"),
    "ratio of three": (when({"ratio_of": ["a", "b", "c"], "more_than": "1"}), "two questions"),
    "unknown condition": (when({"condition": "nowhere"}), "there is no condition 'nowhere'"),
    "rule that reads flags": (when({"fired": ["RF02"]}), "RF01: it cannot read a flag of RF02"),
    "signal of an unknown flag": (lambda data: signal(data).update(when={"fired": ["RF99"]}), "a flag of RF99"),
    "condition that refers to itself": (
        lambda data: data["conditions"].update(a={"condition": "b"}, b={"not": {"condition": "a"}}),
        "refers to itself",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_rule_file_with_an_error_is_refused_and_the_place_is_named(data, fault):
    change, message = FAULTS[fault]
    broken = copy.deepcopy(data)
    change(broken)
    with pytest.raises(RulesInvalid, match=message.replace("(", r"\(")):
        parse_rules(broken)


def test_shipped_rules_are_accepted(data):
    assert parse_rules(data) == read_rules()


def test_every_section_has_a_place_in_the_summary():
    assert tuple(summary.SECTIONS) == SECTIONS


def test_soonest_deadline_of_a_level_applies_whatever_the_order_of_cases(data):
    slow = {"level": "U", "deadline": "48 h", "when": LEAF}
    rule(data)["cases"] = [slow, slow | {"deadline": "same day"}]
    (hit,) = evaluate(parse_rules(data), {"rf.leg": ["saddle"]})
    assert hit.deadline == "same day" and DEADLINES.index("same day") < DEADLINES.index("48 h")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: case(data)["when"].update(item="rf.legs"), "rf.legs"),
        (lambda data: case(data)["when"].update({"is": "sadle"}), "rf.leg=sadle"),
        (lambda data: case(data)["when"].update(unsure_in="rf.leg.unsur"), "rf.leg.unsur"),
        (lambda data: case(data)["when"].update(unsure_in="rf.body.unsure"), "rf.body.unsure=saddle"),
        (lambda data: case(data).update(when={"item": "about.age", "more_than": "18"}), "about.age"),
    ],
)
@pytest.mark.django_db
def test_loading_stops_when_a_rule_reads_what_is_not_asked(data, monkeypatch, change, message):
    change(data)
    monkeypatch.setattr("assessments.red_flags.definitions.read_rules", lambda: parse_rules(data))
    with pytest.raises(RulesInvalid, match=message):
        load_questionnaires(now=NOW)


def test_number_conditions_read_only_number_questions(rules, intake):
    assert misread_numbers(rules, intake.items.values()) == []
    assert unknown_questions(rules, {}) != []
