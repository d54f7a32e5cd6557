"""FHIR's enableWhen, compared with a naive implementation of the specification."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessments.fhir_json.parsing import parse_questionnaire
from assessments.questionnaire.enablement import enabled_items, keep_enabled

KINDS = ("boolean", "integer", "decimal", "date", "string", "choice")
VALUES = {
    "boolean": [True, False],
    "integer": [0, 1, 2, 3],
    "decimal": ["0", "1.5", "2", "10"],
    "date": ["2026-01-01", "2026-02-01", "2026-03-01"],
    "string": ["a", "b"],
    "choice": ["x", "y", "z"],
}
ANSWER_KEYS = {
    "boolean": "answerBoolean",
    "integer": "answerInteger",
    "decimal": "answerDecimal",
    "date": "answerDate",
    "string": "answerString",
    "choice": "answerCoding",
}
ORDERED = ("integer", "decimal", "date")


@st.composite
def conditions_on(draw, earlier):
    """Draw one to three conditions on earlier questions, so that no cycle is possible."""
    found = []
    for _ in range(draw(st.integers(1, 3))):
        target = draw(st.sampled_from(earlier))
        operators = ["exists", "=", "!=", *([">", "<", ">=", "<="] if target["type"] in ORDERED else [])]
        operator = draw(st.sampled_from(operators))
        if operator == "exists":
            answer = {"answerBoolean": draw(st.booleans())}
        else:
            value = draw(st.sampled_from(VALUES[target["type"]]))
            shaped = {"choice": {"code": value}, "decimal": float(value) if target["type"] == "decimal" else value}
            answer = {ANSWER_KEYS[target["type"]]: shaped.get(target["type"], value)}
        found.append({"question": target["linkId"], "operator": operator, **answer})
    return found


@st.composite
def questionnaires(draw):
    """Draw a questionnaire of up to nine items in up to three levels, with conditions, and answers to part of it."""
    items, earlier, tops, answers = [], [], [], {}
    for number in range(draw(st.integers(1, 9))):
        kind = draw(st.sampled_from([*KINDS, "group"]))
        item = {"linkId": f"i{number}", "type": kind, "text": "?"}
        if kind == "choice":
            item |= {"repeats": True, "answerOption": [{"valueCoding": {"code": code}} for code in VALUES["choice"]]}
        if earlier and draw(st.booleans()):
            item["enableWhen"] = draw(conditions_on(earlier))
            item["enableBehavior"] = draw(st.sampled_from(["all", "any"]))
        parent = draw(st.sampled_from([None, *items])) if items else None
        (tops if parent is None else parent.setdefault("item", [])).append(item)
        items.append(item)
        if kind != "group":
            earlier.append(item)
            most = 3 if kind == "choice" else 1
            answers[item["linkId"]] = draw(st.lists(st.sampled_from(VALUES[kind]), max_size=most, unique=True))
    return {"resourceType": "Questionnaire", "item": tops}, answers


def naive_enabled(definition, answers):
    """Enable all items, then update them until nothing changes."""
    flat, parent_of = {}, {}

    def walk(items, parent):
        for item in items:
            flat[item["linkId"]], parent_of[item["linkId"]] = item, parent
            walk(item.get("item", []), item["linkId"])

    walk(definition["item"], None)

    def number(kind, value):
        return float(value) if kind in ("integer", "decimal") else value

    def condition_holds(condition, enabled):
        kind = flat[condition["question"]]["type"]
        given_here = answers.get(condition["question"], []) if condition["question"] in enabled else []
        key = next(key for key in condition if key.startswith("answer"))
        wanted = condition[key]["code"] if key == "answerCoding" else condition[key]
        operator = condition["operator"]
        if operator == "exists":
            return (len(given_here) > 0) is wanted
        found = [number(kind, one) for one in given_here]
        wanted = number(kind, wanted)
        if operator == "!=":
            return all(one != wanted for one in found)
        for one in found:
            if operator == "=" and one == wanted:
                return True
            if operator == ">" and one > wanted:
                return True
            if operator == "<" and one < wanted:
                return True
            if operator == ">=" and one >= wanted:
                return True
            if operator == "<=" and one <= wanted:
                return True
        return False

    enabled = set(flat)
    for _ in range(len(flat) + 1):
        now = set()
        for name, item in flat.items():
            results = [condition_holds(condition, enabled) for condition in item.get("enableWhen", [])]
            own = not results or (all(results) if item["enableBehavior"] == "all" else any(results))
            ancestors, parent = True, parent_of[name]
            while parent is not None:
                ancestors = ancestors and parent in enabled
                parent = parent_of[parent]
            if own and ancestors:
                now.add(name)
        enabled = now
    return enabled


@settings(max_examples=300, deadline=None)
@given(questionnaires())
def test_enabled_items_agree_with_a_naive_implementation(drawn):
    definition, answers = drawn
    parsed = parse_questionnaire(definition)
    enabled = {name for name in enabled_items(parsed, answers) if not parsed.items[name].is_added}
    assert enabled == naive_enabled(definition, answers)


def ask(*conditions, behavior="any", target=None):
    target = target or {"linkId": "q", "type": "integer"}
    follow_up = {"linkId": "f", "type": "string", "enableWhen": list(conditions), "enableBehavior": behavior}
    return parse_questionnaire({"resourceType": "Questionnaire", "item": [target, follow_up]})


@pytest.mark.parametrize(
    ("operator", "value", "answer", "is_asked"),
    [
        ("=", 3, [3], True),
        ("=", 3, [4], False),
        ("=", 3, [], False),
        ("!=", 3, [4], True),
        ("!=", 3, [3], False),
        ("!=", 3, [], True),
        (">", 3, [4], True),
        (">", 3, [3], False),
        (">=", 3, [3], True),
        ("<", 3, [2], True),
        ("<=", 3, [3], True),
        ("<=", 3, [], False),
    ],
)
def test_operator_compares_numbers(operator, value, answer, is_asked):
    questionnaire = ask({"question": "q", "operator": operator, "answerInteger": value})
    assert ("f" in enabled_items(questionnaire, {"q": answer})) is is_asked


@pytest.mark.parametrize(("wanted", "answer", "is_asked"), [(True, [0], True), (True, [], False), (False, [], True)])
def test_exists_checks_for_an_answer(wanted, answer, is_asked):
    questionnaire = ask({"question": "q", "operator": "exists", "answerBoolean": wanted})
    assert ("f" in enabled_items(questionnaire, {"q": answer})) is is_asked


def test_decimal_is_compared_as_a_number_not_as_text():
    target = {"linkId": "q", "type": "decimal"}
    questionnaire = ask({"question": "q", "operator": ">", "answerDecimal": 9.5}, target=target)
    assert "f" in enabled_items(questionnaire, {"q": ["10"]})


def test_disabled_item_disables_all_items_below_and_their_answers_are_ignored():
    definition = {
        "resourceType": "Questionnaire",
        "item": [
            {"linkId": "gate", "type": "boolean"},
            {
                "linkId": "group",
                "type": "group",
                "enableWhen": [{"question": "gate", "operator": "=", "answerBoolean": True}],
                "item": [{"linkId": "inner", "type": "integer", "item": [{"linkId": "deep", "type": "string"}]}],
            },
            {
                "linkId": "after",
                "type": "string",
                "enableWhen": [{"question": "inner", "operator": "=", "answerInteger": 1}],
            },
        ],
    }
    questionnaire = parse_questionnaire(definition)
    answers = {"gate": [False], "inner": [1], "deep": ["x"], "after": ["y"]}
    assert enabled_items(questionnaire, answers) == {"gate"}
    assert keep_enabled(questionnaire, answers) == {"gate": [False]}
    assert enabled_items(questionnaire, {**answers, "gate": [True]}) == {"gate", "group", "inner", "deep", "after"}
